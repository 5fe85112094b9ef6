/** Tables of fields on a page, `| field | type | there | meaning |`, and whether an object is as its table says. */
import assert from 'node:assert/strict';

export interface Field {
  /** `outputs[].path`: a property of each object in a list. */
  path: string;
  /** `integer`, `string[]`, `"done" or "failed"`. */
  type: string;
  /** `always`, `` when `status` is `failed` ``, or other words: sometimes. */
  there: string;
}

/** The tables of a page by the names in the headings above them: ``### `start` ``. */
export function readTables(page: string): Map<string, Field[]> {
  const tables = new Map<string, Field[]>();
  let fields: Field[] = [];
  for (const line of page.split('\n')) {
    const [, name] = /^### `(.+)`$/.exec(line) ?? [];
    if (name !== undefined) {
      fields = [];
      tables.set(name, fields);
    }
    const [, path, type = '', there = ''] = /^\| `(.+?)` \| (.+?) \| (.+?) \| .*\|$/.exec(line) ?? [];
    if (path !== undefined) fields.push({ path, type, there });
  }
  return tables;
}

/**
 * Fails when the object has a field that is not in the table, or one of another type, or lacks one that is always there.
 *
 * @returns the paths that the object has.
 */
export function assertAsDescribed(object: Record<string, unknown>, fields: Field[], name: string): Set<string> {
  const seen = new Set<string>();
  const check = (value: Record<string, unknown>, prefix: string) => {
    for (const [key, item] of Object.entries(value)) {
      const path = prefix + key;
      const field = fields.find((candidate) => candidate.path === path);
      assert.ok(field, `${name} has the field ${path}, which the page does not have: ${JSON.stringify(object)}`);
      const types = field.type.split(' or ');
      assert.ok(
        types.some((type) => isOfType(item, type)),
        `${name}: ${path} is ${JSON.stringify(item)}, not ${field.type}`,
      );
      seen.add(path);
      if (types.includes('object') && item !== null) check(item as Record<string, unknown>, `${path}.`);
      if (types.includes('object[]')) for (const one of item as Record<string, unknown>[]) check(one, `${path}[].`);
    }
    for (const { path, there } of fields) {
      const key = path.slice(prefix.length);
      if (!path.startsWith(prefix) || /[.[]/.test(key)) continue;
      const [, condition = '', expected] = /^when `(\w+)` is `(.+)`$/.exec(there) ?? [];
      const isSometimes = there !== 'always' && expected === undefined;
      const isDue = there === 'always' || value[condition] === expected;
      if (!isSometimes) assert.equal(key in value, isDue, `${name}: ${path} is there ${there}`);
    }
  };
  check(object, '');
  return seen;
}

function isOfType(value: unknown, type: string): boolean {
  const [, literal] = /^`(.+)`$/.exec(type) ?? [];
  if (literal !== undefined) return value === JSON.parse(literal);
  if (type.endsWith('[]')) return Array.isArray(value) && value.every((item) => isOfType(item, type.slice(0, -2)));
  switch (type) {
    case 'integer':
      return Number.isInteger(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'null':
      return value === null;
    case 'number':
    case 'string':
    case 'boolean':
      return typeof value === type;
    default:
      throw new Error(`the page has a type that is none: ${type}`);
  }
}
