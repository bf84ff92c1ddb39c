"use strict";

const { marked } = require("marked");
const $ = require("jquery");
const { productsOf } = require("@storefront/api");

/** Shows the products of a category as cards. Descriptions are Markdown. */
async function show(category) {
  const list = $("#products").empty();
  for (const product of await productsOf("/catalogue.json", category)) {
    const card = $("<article>").append($("<h2>").text(product.name));
    card.append(marked.parse(product.description));
    list.append(card);
  }
}

module.exports = { show };
