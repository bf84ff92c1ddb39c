// Opens a page in Chromium, uses it like a person, and prints what it saw as JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [playwright, axe, executablePath, page, pictures, name] = process.argv.slice(2);
const { chromium } = createRequire(import.meta.url)(playwright);
const url = pathToFileURL(page).href;
const seen = { hacked: [], requests: [], errors: [], axe: [] };

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const tab = await context.newPage();
  tab.setDefaultTimeout(60_000);
  tab.on("dialog", (dialog) => { seen.hacked.push(dialog.message()); dialog.dismiss(); });
  tab.on("console", (message) => { if (message.type() === "error") seen.errors.push(message.text()); });
  tab.on("pageerror", (error) => seen.errors.push(String(error)));
  tab.on("request", (request) => { if (request.url() !== url) seen.requests.push(request.url()); });
  await tab.goto(url);
  return tab;
}

const picture = async (tab, kind, options = {}) => {
  if (pictures) await tab.screenshot({ path: join(pictures, `${name}-${kind}.png`), ...options });
};
const shown = (tab) => tab.textContent("#shown");
const contrast = async (tab, kind) => {
  await tab.evaluate(readFileSync(axe, "utf8"));
  const { violations } = await tab.evaluate(() => window.axe.run());
  for (const one of violations) {
    seen.axe.push(`${kind}: ${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160) + " " + (node.any[0]?.message ?? "")).join(" | ")}`);
  }
};

// The time until the first picture after everything was parsed.
let tab = await open();
seen.shownMs = await tab.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(() => {
  const paint = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0;
  const { loadEventEnd } = performance.getEntriesByType("navigation")[0];
  resolve(Math.round(Math.max(paint, loadEventEnd)));
}))));
await picture(tab, "desktop");
const hacked = await tab.evaluate(() => window.hacked ?? null);
if (hacked !== null) seen.hacked.push(hacked);
seen.all = await shown(tab);

// The keyboard: the first stop, the shortcut of the search, a folded part.
await tab.keyboard.press("Tab");
seen.firstFocus = await tab.evaluate(() => document.activeElement.textContent);
await tab.evaluate(() => document.activeElement.blur());
await tab.keyboard.press("/");
seen.slash = await tab.evaluate(() => document.activeElement.id);
await tab.locator(".row summary").first().focus();
await tab.keyboard.press("Enter");
seen.opened = await tab.evaluate(() => document.querySelector(".row details").open);

if (name === "huge") {
  seen.searchMs = await tab.evaluate(async () => {
    const search = document.getElementById("search");
    const start = performance.now();
    search.value = "number-1234";
    search.dispatchEvent(new Event("input"));
    const before = document.getElementById("shown").textContent;
    while (document.getElementById("shown").textContent === before) await new Promise(requestAnimationFrame);
    return Math.round(performance.now() - start);
  });
} else {
  await tab.fill("#search", "number-2 GHSA");
  await tab.waitForFunction(() => document.querySelector("#shown").textContent.startsWith("3 of"));
  seen.search = await shown(tab);
  await tab.fill("#search", "no such thing");
  await tab.waitForFunction(() => document.querySelector("#shown").textContent.startsWith("0 of"));
  seen.nothing = await tab.isVisible("#nothing");
  await tab.fill("#search", "");
  await tab.selectOption("#severity", "critical");
  seen.severity = await tab.$$eval(".row", (rows) => [...new Set(rows.filter((row) => row.checkVisibility() && row.closest("#cards")).map((row) => row.dataset.sev))]);
  await tab.selectOption("#severity", "");
  await tab.selectOption("#outcome", "act-now");
  seen.outcome = await tab.$$eval("#cards .row", (rows) => [...new Set(rows.filter((row) => row.checkVisibility()).map((row) => row.dataset.out || row.closest(".card").dataset.out))]);
  await tab.selectOption("#outcome", "");
  await tab.selectOption("#kind", "kev");
  seen.exploited = await tab.$$eval("#cards .row", (rows) => rows.filter((row) => !row.hidden && !row.closest(".card").hidden).length);
  await tab.selectOption("#kind", "");
  await tab.selectOption("#sort", "name");
  const names = await tab.$$eval("#cards h3", (all) => all.map((one) => one.textContent.toLowerCase()));
  seen.sorted = names.length > 2 && names.every((one, index) => index === 0 || new Intl.Collator("en", { numeric: true }).compare(names[index - 1], one) <= 0);
  await tab.click("#controls button");
  await tab.waitForFunction(() => document.querySelector("#sort").value === "score" && document.querySelector("#kind").value === "");
  seen.reset = await shown(tab);
  await contrast(tab, "light");
}

// Paper. Thousands of findings are hundreds of sheets, which take a minute.
if (name !== "huge") {
  const pdf = await tab.pdf({ format: "A4", path: pictures ? join(pictures, `${name}.pdf`) : undefined });
  seen.pdf = pdf.subarray(0, 5).toString() === "%PDF-" ? pdf.length : 0;
  await tab.emulateMedia({ media: "print" });
  seen.printed = await tab.evaluate(() => {
    for (const details of document.querySelectorAll("details")) details.open = false;
    const why = document.querySelector("details ul");
    return why.getBoundingClientRect().height > 0 && why.checkVisibility({ contentVisibilityAuto: false });
  });
  await tab.setViewportSize({ width: 794, height: 1123 });
  await picture(tab, "print");
}
await tab.context().close();

// A phone, in the dark.
tab = await open({ viewport: { width: 390, height: 844 }, colorScheme: "dark" });
seen.overflow = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
if (name !== "huge") await contrast(tab, "dark phone");
await picture(tab, "phone");
await tab.context().close();
if (pictures) {
  tab = await open({ colorScheme: "dark" });
  await picture(tab, "dark");
  await tab.locator("#findings-title").scrollIntoViewIfNeeded();
  await tab.evaluate(() => document.getElementById("findings-title").scrollIntoView());
  await picture(tab, "dark-findings");
  await tab.context().close();
  tab = await open();
  await tab.evaluate(() => document.getElementById("findings-title").scrollIntoView());
  await picture(tab, "desktop-findings");
  await tab.context().close();
  tab = await open({ viewport: { width: 390, height: 844 } });
  await tab.evaluate(() => document.getElementById("findings-title").scrollIntoView());
  await picture(tab, "phone-findings");
  await tab.context().close();
}

// Without a script.
tab = await open({ javaScriptEnabled: false });
seen.plain = {
  rows: await tab.locator("#cards .row").count(),
  controls: await tab.locator("#controls").isVisible(),
};
await browser.close();
console.log(JSON.stringify(seen));
