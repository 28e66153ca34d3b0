// The pages of a node that serves: negotiations, claims, judgments and what another policy engine asked; by keyboard, and an
// axe scan of each. The program is `tegata` itself, on a fresh directory under the test identity.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { browser } from "./walk.js";

const PROGRAM = process.env.TEGATA_BIN;
const PAGES = ["negotiations", "claims", "judgments", "observed", "flows"];
let server, chromium, address, admin, dir;

async function call(method, path, body) {
  const headers = { authorization: `Bearer ${admin}`, "content-type": "application/json" };
  const answer = await fetch(address + path, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json().catch(() => null);
}

before(async () => {
  assert.ok(PROGRAM, "TEGATA_BIN names the program; ./run builds it");
  dir = mkdtempSync(join(tmpdir(), "tegata-pages-"));
  writeFileSync(join(dir, "tegata.toml"), `mode = "demo"\ntest_identity = true\nparticipant = "did:web:pages.example"\nlisten = "127.0.0.1:0"\ndirectory = "node"\n`);
  writeFileSync(join(dir, "table.csv"), "a,b\n1,2\n");
  server = spawn(PROGRAM, ["serve", "--config", join(dir, "tegata.toml"), "--dir", join(dir, "desk"), "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((done, failed) => {
    let said = "";
    server.stdout.on("data", (text) => {
      said += text;
      address ??= said.match(/(http:\/\/127\.0\.0\.1:\d+)\//)?.[1];
      admin ??= said.match(/admin token, shown once: (\S+)/)?.[1];
      if (address && admin) done();
    });
    server.once("exit", () => failed(new Error("the server ended")));
  });
  const facts = { "exporter.place": "DE", "data.about_people": false };
  await call("POST", "/v1/offers", { dataset: "urn:dataset:table", title: "A table", source: join(dir, "table.csv"), facts });
  // Nobody is there, so the negotiation stands and says why.
  await call("POST", "/v1/offers/urn:dataset:table/negotiations", { address: "http://127.0.0.1:9/dsp", peer: "did:web:gone.example" });
  for (const counterparty of ["did:web:one.example", "did:web:two.example"]) {
    await call("POST", "/v1/checks?observe=true", { counterparty, dataset: "urn:dataset:table" });
  }
  await call("POST", "/v1/checks?observe=true", { counterparty: "did:web:one.example", transfer: { "exporter.place": "DE", "recipient.place": "US", "data.about_people": true, "data.categories": ["contact"] } });
  chromium = await browser();
});

after(async () => {
  await chromium?.close();
  server?.kill();
  rmSync(dir, { recursive: true, force: true });
});

async function open(token, width, tongue) {
  const context = await chromium.newContext({ viewport: { width, height: 900 }, reducedMotion: "reduce" });
  const page = await context.newPage();
  await page.goto(`${address}/${tongue}/enter?token=${token}`);
  return { page, close: () => context.close() };
}

async function faultsOf(page, name) {
  await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
  const axe = new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]);
  const { violations } = await axe.analyze();
  const faults = violations.map((v) => `${name}: ${v.id}: ${v.nodes.slice(0, 2).map((n) => n.target.join(" ")).join(" | ")} (${v.nodes.length})`);
  const over = await page.locator("html").evaluate((html) => html.scrollWidth - window.innerWidth);
  if (over > 0) faults.push(`${name}: ${over} px wider than the window`);
  const ids = await page.evaluate(() => document.body.innerText.match(/\b(page|claims|observed|explain)-[a-z-]+/g));
  if (ids) faults.push(`${name}: message ids shown: ${ids}`);
  return faults;
}

for (const width of [360, 1280]) {
  for (const tongue of ["en", "ja"]) {
    test(`the pages of a node at ${width} px, ${tongue}: axe finds nothing, nothing scrolls sideways`, async () => {
      const { page, close } = await open(admin, width, tongue);
      const faults = [];
      for (const name of PAGES) {
        const answer = await page.goto(`${address}/${tongue}/${name}`);
        assert.equal(answer.status(), 200, name);
        faults.push(...await faultsOf(page, name));
      }
      await page.goto(`${address}/${tongue}/negotiations`);
      await page.click("main a[href*='/negotiations/']");
      faults.push(...await faultsOf(page, "one negotiation"));
      await close();
      assert.deepEqual(faults, []);
    });
  }
}

test("what would have been refused is found by keyboard, and leads to the rule", async () => {
  const { page, close } = await open(admin, 1280, "en");
  await page.goto(`${address}/en/flows`);
  for (let i = 0; i < 200; i++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement?.matches("a[href$='/observed']"))) break;
  }
  await page.keyboard.press("Enter");
  await page.waitForURL("**/observed");
  const text = await page.locator("main").innerText();
  assert.match(text, /asked 3/);
  assert.match(text, /did:web:two\.example/);
  for (let i = 0; i < 200; i++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement?.matches("main td a[href*='/rule/'], main th a[href*='/rule/']"))) break;
  }
  await page.keyboard.press("Enter");
  await page.waitForURL("**/rule/**");
  assert.ok((await page.locator("h1").innerText()).length > 0);
  await close();
});
