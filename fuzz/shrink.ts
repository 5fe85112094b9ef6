/**
 * Makes an input smaller as long as it stays what it is: without stretches of it, long ones first, then with bytes that
 * say less.
 *
 * @param holds whether an input still is.
 * @param deadlineMs of `performance.now()`: then the smallest so far is the answer.
 */
export async function shrink(
  input: Buffer,
  holds: (smaller: Buffer) => Promise<boolean>,
  deadlineMs: number,
): Promise<Buffer> {
  let smallest = input;
  const isOver = () => performance.now() > deadlineMs;
  const take = async (candidate: Buffer) => {
    const isTaken = !isOver() && (await holds(candidate));
    if (isTaken) smallest = candidate;
    return isTaken;
  };
  for (let before = -1; before !== smallest.length && !isOver(); ) {
    before = smallest.length;
    for (let bytes = 1 << Math.floor(Math.log2(Math.max(smallest.length, 1))); bytes >= 1; bytes >>= 1) {
      for (let at = 0; at < smallest.length && !isOver(); ) {
        const without = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + bytes)]);
        if (!(await take(without))) at += bytes;
      }
    }
  }
  for (let at = 0; at < smallest.length && !isOver(); at++) {
    if (smallest[at] === 0) continue;
    const simpler = Buffer.from(smallest);
    simpler[at] = 0;
    await take(simpler);
  }
  return smallest;
}
