// Every page in both themes and at two widths: axe without violations, no sideways scroll, nothing refused by the content
// policy; then the tasks of people, by keyboard, with and without script. Usage: check.mjs URL FOLDER PAGES;
// ASSAY_WEB_ONLY is a pattern of the pages to look at.
import { mkdir } from "node:fs/promises";
import { chromium } from "playwright-core";
import axe from "@axe-core/playwright";

const [url, folder, list] = process.argv.slice(2);
const AxeBuilder = axe.default ?? axe;
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const only = process.env.ASSAY_WEB_ONLY;
const pages = JSON.parse(list).filter((path) => !only || new RegExp(only).test(path));
const faults = [];
const fail = (where, what) => faults.push(`${where}: ${what}`);

await mkdir(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });

const named = (path) => (path === "/" ? "overview" : path.slice(1).replace(/[^a-z0-9]+/gi, "-").slice(0, 40));

async function visit(theme, width) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: theme });
  const page = await context.newPage();
  const refused = [];
  page.on("console", (line) => line.type() === "error" && !/status of 4/.test(line.text()) && refused.push(line.text()));
  page.on("request", (request) => !request.url().startsWith(url) && refused.push(`asks ${request.url()}`));
  for (const path of pages) {
    const where = `${path} ${theme} ${width}`;
    refused.length = 0;
    await page.goto(url + path, { waitUntil: "load" });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) fail(where, `scrolls sideways by ${wide}px`);
    const found = await new AxeBuilder({ page }).withTags(tags).analyze();
    for (const violation of found.violations) {
      fail(where, `axe ${violation.id}: ${violation.nodes.slice(0, 2).map((node) => node.html.slice(0, 140)).join(" | ")}`);
    }
    for (const line of refused) fail(where, line);
    await page.screenshot({ path: `${folder}/${named(path)}-${theme}-${width}.png`, fullPage: true });
  }
  await context.close();
}

async function tasks(javaScriptEnabled) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, javaScriptEnabled });
  const page = await context.newPage();
  const where = `tasks ${javaScriptEnabled ? "with" : "without"} script`;
  const expect = async (what, holds) => (await holds) || fail(where, what);
  // Why is my pay X: two clicks from home.
  await page.goto(url + "/");
  await page.getByRole("link", { name: "Leaderboard", exact: true }).first().click();
  await page.locator("tbody td .who a").first().click();
  await expect("the miner's page says why", page.getByRole("heading", { name: /^Why .* points$/ }).isVisible());
  // Reproduce a score: on the same page.
  await expect("a command to reproduce", page.getByText("assay dataset verify").first().isVisible());
  // Get the data: one click.
  await page.goto(url + "/");
  await page.getByRole("link", { name: "Get the data" }).click();
  await expect("datasets", page.getByRole("heading", { name: "Datasets", level: 1 }).isVisible());
  // Compare two miners: three clicks.
  await page.goto(url + "/leaderboard/miners");
  await page.getByRole("checkbox").nth(0).check();
  await page.getByRole("checkbox").nth(1).check();
  await page.getByRole("button", { name: "Compare picked" }).click();
  await expect("two columns", page.locator("thead th").count().then((count) => count === 3));
  // Filter and sort by keyboard.
  await page.goto(url + "/leaderboard/miners");
  await page.getByLabel("Filter", { exact: true }).focus();
  await page.keyboard.type("cred >= 0.9");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=cred/);
  await expect("rows are filtered", page.getByText("that match").isVisible());
  await page.getByRole("link", { name: /^Tokens/ }).focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(/sort=tokens/);
  await expect("sorted", page.locator("th[aria-sort=descending]").count().then((count) => count === 1));
  // The skip link comes first.
  await page.goto(url + "/");
  await page.keyboard.press("Tab");
  await expect("skip link", page.locator(".skip:focus").count().then((count) => count === 1));
  // Find my miner by key.
  await page.goto(url + "/");
  if (javaScriptEnabled) {
    await page.keyboard.press("/");
    await expect("/ focuses search", page.locator("header.top input:focus").count().then((count) => count === 1));
  } else {
    await page.locator("header.top input").focus();
  }
  await page.keyboard.type("0");
  await page.keyboard.press("Enter");
  await page.waitForURL((at) => at.pathname !== "/");
  await expect("search answers", page.getByRole("heading", { level: 1 }).isVisible());
  // Colours stay.
  await page.goto(url + "/");
  await page.getByRole("link", { name: "Switch between light and dark" }).click();
  await expect("dark", page.locator("html[data-theme=dark]").count().then((count) => count === 1));
  await context.close();
}

// Side by side: a page waits more than it works.
await Promise.all(["light", "dark"].flatMap((theme) => [390, 1360].map((width) => visit(theme, width))));
await tasks(true);
await tasks(false);
await browser.close();
for (const fault of [...new Set(faults)]) console.log(fault);
console.log(`${pages.length} pages in 4 forms, ${faults.length} faults`);
process.exit(faults.length === 0 ? 0 : 1);
