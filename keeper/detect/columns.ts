import type { Coefficients } from "./coefficients.js";
import type { Rows } from "./rows.js";
import { type ColumnMemory, type Sweep, address, createSweep, pageBytes } from "./sweep.js";

/** An account by number: 0, 1, 2, ... as the caller counts them. */
export type AccountNumber = number;

interface Page {
  readonly number: number;
  /** Of each account in it. */
  readonly rows: number;
  /** How many accounts it holds. */
  count: number;
}

/** A place is a page's number times this, and the place in the page; `nowhere` would be in the first page, which holds no accounts. */
const placesAPage = 4_096;
const nowhere = 0;

/**
 * Accounts as columns, to be swept in one pass. Accounts of as many rows each stand on one shelf, so that rows need no offsets and the
 * sweep's inner loop always runs as often; a page of it has their amounts (float64, an account's beside each other), then their numbers
 * (uint32), then their keys (uint8). Who leaves a shelf is replaced by its last account: there are no holes.
 */
export class Columns {
  readonly #memory: ColumnMemory;
  readonly #sweep: Sweep;
  /** By number; none: it is free. */
  readonly #pages: (Page | undefined)[] = [undefined];
  readonly #freePages: number[] = [];
  /** By number of rows; all but the last of a shelf's pages are full. */
  readonly #shelves: Page[][] = [];
  #amounts: Float64Array;
  #numbers: Uint32Array;
  #keys: Uint8Array;
  /** By account number. */
  #places = new Uint32Array(0);

  constructor() {
    [this.#memory, this.#sweep] = createSweep();
    const { buffer } = this.#memory;
    this.#amounts = new Float64Array(buffer);
    this.#numbers = new Uint32Array(buffer);
    this.#keys = new Uint8Array(buffer);
  }

  get byteLength(): number {
    return this.#memory.buffer.byteLength + this.#places.byteLength;
  }

  /** How many accounts there are. */
  get count(): number {
    return this.#shelves.reduce((sum, shelf) => shelf.reduce((all, page) => all + page.count, sum), 0);
  }

  /** Makes room for accounts below this number; else room for them grows by an eighth at a time. */
  reserve(accounts: number): void {
    if (accounts <= this.#places.length) return;
    const places = new Uint32Array(accounts);
    places.set(this.#places);
    this.#places = places;
  }

  /** Writes an account: where it stands, if it has as many rows as before. */
  set(account: AccountNumber, { count, amounts, keys }: Rows): void {
    let place = this.#placeOf(account);
    if (place !== nowhere && this.#pageOf(place).rows !== count) {
      this.delete(account);
      place = nowhere;
    }
    if (place === nowhere) {
      place = this.#append(account, count);
      this.#makePlace(account);
      this.#places[account] = place;
    }
    const { amount, key } = addressesOf(place, count);
    for (let i = 0; i < count; ++i) {
      this.#amounts[amount / 8 + i] = amounts[i] ?? 0;
      this.#keys[key + i] = keys[i] ?? 0;
    }
  }

  /** Takes an account out, if it is there. */
  delete(account: AccountNumber): void {
    const place = this.#placeOf(account);
    if (place === nowhere) return;
    const { rows } = this.#pageOf(place);
    const shelf = this.#shelfOf(rows);
    const page = shelf.at(-1) ?? this.#pageOf(place);
    --page.count;
    const last = placesAPage * page.number + page.count;
    if (last !== place) this.#move(last, place, rows);
    this.#places[account] = nowhere;
    if (page.count > 0) return;
    shelf.pop();
    this.#pages[page.number] = undefined;
    this.#freePages.push(page.number);
  }

  /** The accounts whose margin is not certainly zero or more, in no order. */
  sweep({ ofKeys, requirement, debtMargin }: Coefficients): AccountNumber[] {
    this.#amounts.set(ofKeys, address.coefficients / 8);
    this.#amounts.set([0, requirement], address.start / 8);
    this.#amounts[address.debtMargin / 8] = debtMargin;
    const found: AccountNumber[] = [];
    for (const shelf of this.#shelves) {
      for (const { number, rows, count } of shelf ?? []) {
        const { amount, account, key } = addressesOf(placesAPage * number, rows);
        const end = this.#sweep(amount, key, account, account + 4 * count, rows, address.found);
        for (let at = address.found / 4; at < end / 4; ++at) found.push(this.#numbers[at] ?? 0);
      }
    }
    return found;
  }

  #placeOf(account: AccountNumber): number {
    return this.#places[account] ?? nowhere;
  }

  #pageOf(place: number): Page {
    const page = this.#pages[Math.floor(place / placesAPage)];
    if (page === undefined) throw new RangeError(`place ${place} is in no page`);
    return page;
  }

  #shelfOf(rows: number): Page[] {
    return (this.#shelves[rows] ??= []);
  }

  /** A place at the end of the shelf. */
  #append(account: AccountNumber, rows: number): number {
    const shelf = this.#shelfOf(rows);
    let page = shelf.at(-1);
    if (page === undefined || page.count === roomFor(rows)) {
      page = { number: this.#freePages.pop() ?? this.#grow(), rows, count: 0 };
      this.#pages[page.number] = page;
      shelf.push(page);
    }
    const place = placesAPage * page.number + page.count++;
    this.#numbers[addressesOf(place, rows).account / 4] = account;
    return place;
  }

  #move(from: number, to: number, rows: number): void {
    const [source, target] = [addressesOf(from, rows), addressesOf(to, rows)];
    const account = this.#numbers[source.account / 4] ?? 0;
    this.#numbers[target.account / 4] = account;
    this.#amounts.copyWithin(target.amount / 8, source.amount / 8, source.amount / 8 + rows);
    this.#keys.copyWithin(target.key, source.key, source.key + rows);
    this.#places[account] = to;
  }

  #grow(): number {
    const number = this.#memory.grow(1);
    const { buffer } = this.#memory;
    this.#amounts = new Float64Array(buffer);
    this.#numbers = new Uint32Array(buffer);
    this.#keys = new Uint8Array(buffer);
    return number;
  }

  #makePlace(account: AccountNumber): void {
    if (account < this.#places.length) return;
    this.reserve(Math.max(account + 1, Math.ceil(this.#places.length * 1.125), 1_024));
  }
}

/** How many accounts of so many rows fit into a page. */
function roomFor(rows: number): number {
  return Math.min(placesAPage, Math.floor(pageBytes / (9 * rows + 4)));
}

/** Where an account's first amount, its number and its first key are. */
function addressesOf(place: number, rows: number): { amount: number; account: number; key: number } {
  const room = roomFor(rows);
  const inPage = place % placesAPage;
  const numbers = pageBytes * Math.floor(place / placesAPage) + 8 * room * rows;
  return {
    amount: numbers - 8 * rows * (room - inPage),
    account: numbers + 4 * inPage,
    key: numbers + 4 * room + rows * inPage,
  };
}
