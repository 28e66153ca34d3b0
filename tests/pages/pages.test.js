// The pages in a browser: by keyboard alone from question to article, and an axe scan of each page.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import AxeBuilder from "@axe-core/playwright";
import { browser, enter, PAGES, TOKEN } from "./walk.js";

const PROGRAM = process.env.PAGES_PROGRAM;
const RULES = process.env.PAGES_RULES ?? "../../rules";
let server, chromium, address;

before(async () => {
  assert.ok(PROGRAM, "PAGES_PROGRAM names the example binary; ./run builds it");
  server = spawn(PROGRAM, [RULES, "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const line = await new Promise((done, failed) => {
    server.stdout.once("data", (text) => done(String(text)));
    server.once("exit", () => failed(new Error("the server ended")));
  });
  address = new URL(line.trim()).origin;
  chromium = await browser();
});

after(async () => {
  await chromium?.close();
  server?.kill();
});

/** A page with a session; any request for another host fails the test. */
async function open(width, extra = {}) {
  const context = await chromium.newContext({ viewport: { width, height: 900 }, reducedMotion: "reduce", ...extra });
  const page = await context.newPage();
  const foreign = [];
  await context.route("**/*", (route) => {
    if (!route.request().url().startsWith(address)) foreign.push(route.request().url());
    return route.request().url().startsWith(address) ? route.continue() : route.abort();
  });
  await enter(page, address);
  return { page, close: async () => { await context.close(); assert.deepEqual(foreign, [], "no other host is asked"); } };
}

/** Presses Tab until the wanted element has the focus, and says that the focus can be seen. */
async function tabTo(page, selector, limit = 200) {
  for (let i = 0; i < limit; i++) {
    await page.keyboard.press("Tab");
    const found = await page.evaluate((s) => {
      const at = document.activeElement;
      if (!at?.matches(s)) return null;
      const style = getComputedStyle(at);
      return { seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
    }, selector);
    if (found) {
      assert.ok(found.seen, `the focus on ${selector} can be seen`);
      return;
    }
  }
  assert.fail(`the keyboard never reaches ${selector}`);
}

test("from question to article by keyboard alone", async () => {
  const { page, close } = await open(1280);
  await page.goto(`${address}/en/`);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip", "the first stop is the skip link");
  await tabTo(page, "select#from");
  await page.keyboard.type("Thailand");
  await tabTo(page, "select#to");
  await page.keyboard.type("Japan");
  await tabTo(page, "main button");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/en/check?**");
  assert.equal(await page.inputValue("select[name='exporter.place']"), "TH");
  await tabTo(page, "input[name='data.categories'][value='salary_hr']");
  await page.keyboard.press("Space");
  await tabTo(page, "input[name='hop.purpose'][value='payroll']");
  await page.keyboard.press("Space");
  await tabTo(page, "main button");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/en/verdict?**");
  assert.match(await page.textContent("#answer"), /Cannot tell|May go|Not as it is/);
  assert.match(await page.textContent(".answer"), /Thailand → Japan/);
  // A question that still matters is answered where it stands.
  const asked = "main form input[type=radio], main form input[type=checkbox]";
  const { type, name } = await page.$eval(asked, (input) => ({ type: input.type, name: input.name }));
  await tabTo(page, `input[type=${type}][name='${name}']`);
  await page.keyboard.press(type === "radio" ? "ArrowUp" : "Space");
  await tabTo(page, "form button:not(.plain)", 600);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.searchParams.has(name));
  // And the article is one step away.
  await tabTo(page, "p.cite a[href*='/rule/']");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/en/rule/**");
  assert.match(await page.textContent("h1"), /PDPA|APPI/);
  const data = JSON.parse(await page.textContent("script[type='application/ld+json']"));
  assert.equal(data["@type"], "Legislation");
  // The address can be cited: the same in a fresh browser without a session.
  const fresh = await fetch(page.url());
  assert.equal(fresh.status, 200);
  await close();
});

test("everything works without scripts", async () => {
  const { page, close } = await open(360, { javaScriptEnabled: false });
  await page.goto(`${address}/ja/register?example=1`);
  const wanted = (await page.inputValue("#list")).trim().split("\n").length - 1;
  await page.click("main form button");
  await page.waitForURL("**/ja/register");
  const rows = await page.locator("tbody tr").count();
  assert.equal(rows, wanted, "each row of the example list has an answer");
  await page.locator("tbody td a").first().click();
  await page.waitForURL("**/ja/verdict?**");
  assert.equal(await page.locator("#answer").count(), 1);
  await close();
});

test("the past is another answer, and the link to it can be kept", async () => {
  const { page, close } = await open(1280);
  await page.goto(`${address}/en/${PAGES.conditional}`);
  const now = await page.textContent("#answer");
  assert.match(now, /Not as it is/);
  const [way] = await page.locator("section[aria-labelledby=ways] a.button").all();
  await way.click();
  await page.waitForURL(/fact=/);
  assert.match(await page.textContent("#answer"), /May go|Cannot tell/, "with the first way in place it is conditional no longer");
  await close();
});

for (const width of [360, 1280]) {
  test(`a table of one's own goes through the bench at ${width} px: noise, ledger, verdicts, certificate`, async () => {
    const { page, close } = await open(width, { javaScriptEnabled: false });
    await page.goto(`${address}/en/bench`);
    // Another table for each width: a table that was asked about has its ledger for good.
    const rows = Array.from({ length: 300 }, (_, n) => `Person ${n + width},${20 + n % 50},${n % 2 ? "male" : "female"},${n % 3 ? "Sendai" : "Osaka"}`);
    await page.fill("#b-text", ["name,age,sex,city", ...rows].join("\n"));
    await page.click("#own button");
    await page.waitForURL(/table=[0-9a-f]{64}/);
    assert.equal(await page.inputValue("#b-table"), new URL(page.url()).searchParams.get("table"));
    assert.ok(await page.locator("table.stack tbody tr").count() > 5, "each country has its verdict");
    // The slider is moved by keyboard: 0.5 to 0.6.
    await page.selectOption("#b-column", "sex");
    await page.fill("#b-values", "female, male");
    await page.focus("#b-epsilon");
    await page.keyboard.press("ArrowRight");
    assert.equal(await page.inputValue("#b-epsilon"), "0.6");
    await page.click("#privacy form button");
    await page.waitForURL(/#privacy/);
    assert.match(await page.textContent("#privacy"), /Spent: ε = 0\.(5[0-9]|60)/);
    assert.match(await page.textContent("#privacy"), /count by sex, 2 groups/);
    // The last column: a noisy count beside it may happen to be the same number.
    assert.deepEqual(await page.locator("#privacy div.scroll table:has(caption) tbody td:last-child").allTextContents(), ["150", "150"], "the truth stands beside, for the holder");
    const faults = await wide(page);
    await page.click("#certify button");
    await page.waitForURL(/certify=1/);
    assert.match(await page.textContent("#certify"), /SHA-256 of the report: [0-9a-f]{64}/);
    faults.push(...await wide(page));
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#certify a.button:not(.plain)")]);
    assert.equal(download.suggestedFilename(), "report.json");
    await close();
    assert.deepEqual(faults, []);
  });
}

/** How much wider than the window the page is, if it is. */
async function wide(page) {
  const box = await page.locator("html").evaluate((html) => html.scrollWidth - window.innerWidth);
  return box > 0 ? [`${page.url()}: ${box} px wider than the window`] : [];
}

test("a session is asked for, and a wrong token is told so", async () => {
  const context = await chromium.newContext();
  const page = await context.newPage();
  await page.goto(`${address}/en/check`);
  await page.fill("#token", "wrong");
  await page.press("#token", "Enter");
  assert.match(await page.textContent("[role=alert]"), /not good/);
  await page.fill("#token", TOKEN);
  await page.press("#token", "Enter");
  await page.waitForURL("**/en/check");
  await context.close();
});

/** What is wrong with a page as it stands: for axe, in width, in language, in words. */
async function faultsOf(page, name, tongue, colorScheme) {
  await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
  const axe = new AxeBuilder({ page });
  // The dark pages are the same documents in other colors.
  const asked = colorScheme === "dark" ? axe.withRules(["color-contrast"]) : axe.withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]);
  const { violations } = await asked.analyze();
  const faults = violations.map((v) => `${name}: ${v.id}: ${v.nodes.slice(0, 2).map((n) => n.target.join(" ")).join(" | ")} (${v.nodes.length})`);
  faults.push(...await wide(page));
  const lang = await page.getAttribute("html", "lang");
  if (lang !== tongue) faults.push(`${name}: lang is ${lang}`);
  const ids = await page.evaluate(() => document.body.innerText.match(/\bpage-[a-z-]+/g));
  if (ids) faults.push(`${name}: message ids shown: ${ids}`);
  return faults;
}

for (const [width, colorScheme] of [[360, "light"], [360, "dark"], [1280, "light"], [1280, "dark"]]) {
  for (const tongue of ["en", "ja"]) {
    test(`axe finds nothing at ${width} px, ${colorScheme}, ${tongue}; nothing scrolls sideways`, async () => {
      const { page, close } = await open(width, { colorScheme });
      const faults = [];
      for (const [name, path] of Object.entries(PAGES)) {
        await page.goto(`${address}/${tongue}/${path}`);
        faults.push(...await faultsOf(page, name, tongue, colorScheme));
      }
      // The answers to a list have no address of their own: they are what comes when it is sent.
      await page.goto(`${address}/${tongue}/${PAGES.register}`);
      await page.click("main form button");
      await page.waitForURL(`**/${tongue}/register`);
      assert.ok(await page.locator("tbody tr").count() > 5, "the list is answered");
      faults.push(...await faultsOf(page, "answers to a list", tongue, colorScheme));
      await close();
      assert.deepEqual(faults, []);
    });
  }
}
