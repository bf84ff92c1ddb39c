"use strict";

const _ = require("lodash");
const mkdirp = require("mkdirp");
const fetch = require("node-fetch");
const fs = require("fs");
const path = require("path");

/** Fetches the catalogue and keeps the products of one category, cheapest first. */
async function productsOf(catalogueUrl, category) {
  const response = await fetch(catalogueUrl, { size: 1024 * 1024 });
  if (!response.ok) {
    throw new Error(`${catalogueUrl} answered ${response.status}`);
  }
  const products = await response.json();
  return _.sortBy(_.filter(products, { category }), "priceCents");
}

/** Keeps a copy of what was shown, one file a category. */
function archive(folder, category, products) {
  mkdirp.sync(folder);
  fs.writeFileSync(path.join(folder, `${category}.json`), JSON.stringify(products));
}

module.exports = { productsOf, archive };
