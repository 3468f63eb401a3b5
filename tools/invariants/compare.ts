/** A test as a run told of it. */
export interface ToldTest {
  readonly title: string;
  readonly state: "passed" | "failed" | "skipped";
}

const lines = { passed: /^\s+✔ (.+)$/, failed: /^\s+[0-9]+\) (.+)$/, skipped: /^\s+- (.+)$/ } as const;

/** The tests that mocha's and the Solidity runner's output, without colours, tells of. */
export function testsOf(output: string): ToldTest[] {
  return output.split("\n").flatMap((line) =>
    Object.entries(lines).flatMap(([state, form]) => {
      const title = form.exec(line)?.[1];
      return title === undefined ? [] : [{ title, state: state as ToldTest["state"] }];
    }),
  );
}

/** The ids of a title, as the page writes them: a Solidity function's name holds INV27 for INV-27. */
export function idsOf(title: string): string[] {
  return [...title.matchAll(/INV-?([0-9]{2,})/g)].map(([, number]) => `INV-${number}`);
}

/** The ids that have a row in the page's tables. */
export function idsOfPage(page: string): string[] {
  return [...page.matchAll(/^\| (INV-[0-9]{2,}) \|/gm)].map(([, id]) => id ?? "");
}

/**
 * Where the page and the tests do not name the same invariants, in sentences. An id counts if it stands in the title of a test that passed
 * and of none that failed.
 */
export function compare(page: string, tests: readonly ToldTest[]): string[] {
  const named = idsOfPage(page);
  const twice = named.filter((id, i) => named.indexOf(id) !== i);
  const found = new Map<string, ToldTest[]>();
  for (const test of tests) for (const id of idsOf(test.title)) found.set(id, [...(found.get(id) ?? []), test]);
  const titles = (some: readonly ToldTest[]) => some.map(({ title }) => `"${title}"`).join(", ");
  const missed = [...new Set(named)].flatMap((id) => {
    const mine = found.get(id) ?? [];
    if (mine.length === 0) return [`${id} stands on the page, and in no test's title`];
    const failed = mine.filter(({ state }) => state === "failed");
    if (failed.length > 0) return [`${id} is not shown: ${titles(failed)} failed`];
    return mine.some(({ state }) => state === "passed") ? [] : [`${id} is not shown: ${titles(mine)} was skipped`];
  });
  const unknown = [...found].filter(([id]) => !named.includes(id));
  return [
    ...twice.map((id) => `${id} stands on the page more than once`),
    ...missed,
    ...unknown.map(([id, some]) => `${id} stands in the title of ${titles(some)}, and not on the page`),
  ];
}
