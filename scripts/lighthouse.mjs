// Lets Lighthouse judge pages in a browser that is already running: each is to get 100 four times. Prints a line for each audit that keeps a page from it, and fails then.
//
//     node scripts/lighthouse.mjs DIRECTORY PORT phone,desk URL…
//
// DIRECTORY holds node_modules/lighthouse, PORT is the browser's for debugging. The browser's cookies are sent; what it
// has cached is dropped.

const [directory, port, forms, ...urls] = process.argv.slice(2);
const { default: lighthouse, desktopConfig } = await import(`${directory}/node_modules/lighthouse/core/index.js`);

// How fast a page is depends on what else the machine does: the best of these counts.
const MEASUREMENTS = 3;
const FORMS = { phone: undefined, desk: desktopConfig };

// What a page cannot be and pass.
const EXCUSES = {
  // An error page is to have its status, and not to be found by search engines.
  "http-status-code": () => true,
  // The browser writes the status of an error page to its console: that line, and no other.
  "errors-in-console": (audit, result) =>
    audit.details.items.every(
      (item) =>
        item.source === "network" && item.sourceLocation?.url === result.finalDisplayedUrl && isErrorPage(result),
    ),
};

const isErrorPage = (result) => result.audits["http-status-code"].score === 0;

async function measure(url, form) {
  const flags = {
    port,
    logLevel: "error",
    throttlingMethod: "simulate",
    ignoreStatusCode: true,
    disableFullPageScreenshot: true,
  };
  const { lhr } = await lighthouse(url, flags, FORMS[form]);
  return lhr;
}

// Each audit of a category that fails, with what it says.
function faults(result, category) {
  if (category.score === 1) return [];
  const failed = category.auditRefs
    .filter((ref) => ref.weight > 0)
    .map((ref) => result.audits[ref.id])
    .filter((audit) => audit.score === null ? audit.scoreDisplayMode === "error" : audit.score < 1);
  if (category.id === "performance") {
    const figures = failed.map((audit) => `${audit.title} ${audit.displayValue}`);
    return [`${Math.round(100 * category.score)}: ${figures.join(", ")}`];
  }
  return failed
    .filter((audit) => !EXCUSES[audit.id]?.(audit, result))
    .map((audit) => [audit.id, audit.title, audit.errorMessage ?? where(audit)].filter(Boolean).join(", "));
}

const where = (audit) =>
  (audit.details?.items ?? [])
    .map((item) => item.node?.selector ?? item.description ?? item.issueType ?? item.url)
    .filter(Boolean)
    .join("; ");

let found = 0;
for (const url of urls) {
  for (const form of forms.split(",")) {
    let result = await measure(url, form);
    for (let times = 1; times < MEASUREMENTS && result.categories.performance.score < 1; times += 1) {
      const again = await measure(url, form);
      if (again.categories.performance.score > result.categories.performance.score) result = again;
    }
    const { pathname, search } = new URL(url);
    if (result.runtimeError) {
      console.log(`${pathname}${search} on a ${form}: ${result.runtimeError.message}`);
      found += 1;
      continue;
    }
    for (const category of Object.values(result.categories)) {
      for (const fault of faults(result, category)) {
        console.log(`${pathname}${search} on a ${form}: ${category.title}: ${fault}`);
        found += 1;
      }
    }
  }
}
process.exitCode = found > 0 ? 1 : 0;
