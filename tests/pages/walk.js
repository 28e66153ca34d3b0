// The browser, the way in, and the pages that are looked at.
import { chromium } from "playwright-core";

export const TOKEN = "example-token-of-the-pages-32-bytes";

/** Starts the browser of the system, without its talk to the outside. */
export function browser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
}

/** Opens a session by the link that a demo prints. */
export async function enter(page, address) {
  await page.goto(`${address}/en/enter?token=${TOKEN}`);
}

const TH_JP = "exporter.place=TH&recipient.place=JP&data.categories=salary_hr&hop.purpose=payroll";
const DE_US = "exporter.place=DE&recipient.place=US&data.categories=contact&data.about_people=yes&data.identifiable_for_exporter=identified"
  + "&data.structured=yes&hop.separate_person=yes&hop.mode=send_copy&exporter.capacity=controller&exporter.person=company&recipient.person=company"
  + "&recipient.capacity=controller&exporter.targets=DE&subjects.located_in=DE&recipient.subject_to=none&hop.foreign_authority_asks=no&data.official_class=none&hop.need=none&recipient.listed=none"
  + "&exporter.sector=retail&subjects.employees=no&data.identifiable_for_recipient=identified";

/** Every page, by a name of its own. */
export const PAGES = {
  home: "",
  check: "check",
  open: `verdict?${TH_JP}`,
  conditional: `verdict?${DE_US}&as_of=2021-10-01`,
  countries: "countries",
  country: "country/JP",
  layer: "layer/eu.gdpr",
  rule: "rule/eu.gdpr.46.2.c/2024-01-15",
  entry: "rule/eu.adequacy%23US/2018-06-01",
  changes: "changes",
  compare: "compare?place=JP&place=DE&place=US",
  effect: "effect/2024-03-22",
  report: "report",
  register: "register?example=1",
  map: "map?exporter.place=JP&data.categories=contact",
  matrix: "matrix?exporter.place=JP&data.categories=contact",
  bench: "bench",
  certified: "bench?profile=ema-0070&certify=1",
  flows: "flows",
  stopped: "flows/T-02",
  running: "flows/T-08",
  evidence: "flows/T-02/evidence",
  missing: "rule/no.such.rule/2024-01-15",
};
