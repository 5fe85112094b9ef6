/** All that a sequence gives. `Array.fromAsync` is not in Node 20 yet. */
export async function collect<T>(sequence: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of sequence) items.push(item);
  return items;
}
