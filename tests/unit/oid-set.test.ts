/** Sets of ids: the table is by an id's first four bytes, the comparison by all of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { OidSet } from "../../src/make/base/oid-set.js";

const OID = 20;

/** Ids of zeros, each but the first with a one at a place of its own; the last id equals the first. */
function similarOids(): Uint8Array {
  const oids = new Uint8Array(OID * (OID + 1));
  for (let place = 1; place < OID; place++) oids[place * OID + place] = 1;
  return oids;
}

test("ids that share their first bytes are told apart, and equal ones are found", () => {
  const oids = similarOids();
  const set = new OidSet(oids);
  for (let index = 0; index < OID; index++) {
    assert.equal(set.indexOf(index), -1);
    assert.equal(set.find(oids, index * OID), -1);
    assert.equal(set.findOrAdd(index), undefined);
  }
  for (let index = 0; index < OID; index++) assert.equal(set.indexOf(index), index);
  assert.equal(set.findOrAdd(OID), 0);
  assert.equal(set.add(OID), false);
  // Ids of another array, at any place.
  const others = new Uint8Array(OID + 3);
  others[3 + 7] = 1;
  assert.equal(set.find(others.subarray(1), 2), 7);
  others[3 + 8] = 1;
  assert.equal(set.find(others.subarray(1), 2), -1);
});
