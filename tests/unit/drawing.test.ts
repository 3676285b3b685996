/** Drawings of the documentation's site: anything but boxes and arrows is an error, not a wrong drawing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { graphOf } from "../../tools/docs/drawing.js";

test("boxes and arrows are Graphviz's", () => {
  const graph = graphOf('flowchart TD\n  a["one<br>two"]\n  b["b"]\n  c["c/d"]\n  a --> b & c\n  b --> c\n');
  const parts = graph.split("\n").slice(-6, -1);
  assert.deepEqual(parts, [
    '"one, two" [label="one\\ntwo"]',
    '"b" [label="b"]',
    '"c/d" [label="c/d"]',
    '"one, two" -> {"b" "c/d"}',
    '"b" -> {"c/d"}',
  ]);
});

for (const [name, flowchart, message] of [
  ["another kind", "sequenceDiagram\n  a->>b: hi", /does not begin with flowchart TD: sequenceDiagram/],
  ["another shape", 'flowchart TD\n  a{"one"}', /neither a box nor arrows: a\{"one"\}/],
  [
    "an arrow with a label",
    'flowchart TD\n  a["a"]\n  a -->|yes| a',
    /neither a box nor arrows: a -->\|yes\| a/,
  ],
  ["a box that is not there", 'flowchart TD\n  a["a"]\n  a --> b', /no box b/],
] as const)
  test(`${name} is an error`, () => assert.throws(() => graphOf(flowchart), message));
