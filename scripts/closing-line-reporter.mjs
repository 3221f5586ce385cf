/**
 * The last line of a test run, in the plain form that any CI can read: `N passed, N failed`.
 * Vitest's own summary is for people and changes with its version. Failed counts tests, and also what fails
 * outside a test: a file that cannot be imported, a hook, an unhandled rejection, a run that found no file.
 */
export default class ClosingLineReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    if (modules.length === 0) count.failed += 1;
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state] += 1;
      for (const group of [module, ...module.children.allSuites()]) {
        if (group.errors().length > 0) count.failed += 1;
      }
    }
    const skipped = count.skipped + count.pending;
    console.log(
      `${count.passed} passed, ${count.failed} failed${skipped ? `, ${skipped} skipped` : ''}`,
    );
  }
}
