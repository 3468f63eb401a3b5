// A mocha reporter that writes a Report (workshop.ts) to a file. (Mocha's own JSON breaks off at an assertion on bigints.) Mocha loads it by
// its path, and Hardhat takes no other kind.
const { writeFileSync } = require("node:fs");

module.exports = function Reporter(runner, { reporterOption }) {
  const failures = [];
  let passed = 0;
  runner.on("pass", () => (passed += 1));
  runner.on("fail", (failed, error) => {
    const byAssertion = error.name === "AssertionError" || error.code === "ERR_ASSERTION";
    const [message = ""] = String(error.message ?? error).split("\n");
    failures.push({ title: failed.fullTitle(), message, isAssertion: byAssertion && failed.type === "test" });
  });
  runner.once("end", () => writeFileSync(reporterOption.output, JSON.stringify({ passed, failures })));
};
