/** Gives things numbers, each thing one. */
export class Numbered<T> implements Iterable<T> {
  readonly #numbers = new Map<string, number>();
  readonly #things: T[] = [];
  #lastKey: string | undefined;
  #lastNumber = 0;

  /** @param key the same for what is the same. */
  numberOf(key: string, thing: T): number {
    // What comes one after the other is mostly alike.
    if (key === this.#lastKey) return this.#lastNumber;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#things.length;
      this.#numbers.set(key, number);
      this.#things.push(thing);
    }
    this.#lastKey = key;
    this.#lastNumber = number;
    return number;
  }

  /** What was given a number under a key. */
  find(key: string): T | undefined {
    const number = this.#numbers.get(key);
    return number === undefined ? undefined : this.at(number);
  }

  at(number: number): T {
    return this.#things[number] as T;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#things[Symbol.iterator]();
  }
}
