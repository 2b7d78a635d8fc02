const BUCKETS = 20

/** Successes and failures over a sliding window, in buckets: constant memory, however many calls. */
export class Ring {
  readonly #widthMs: number
  readonly #good: number[] = new Array<number>(BUCKETS).fill(0)
  readonly #bad: number[] = new Array<number>(BUCKETS).fill(0)
  #newest = 0
  #goods = 0
  #bads = 0

  constructor(windowMs: number) {
    this.#widthMs = windowMs / BUCKETS
  }

  /** Both counts are as of the last `add`. */
  get good(): number {
    return this.#goods
  }
  get bad(): number {
    return this.#bads
  }

  add(nowMs: number, good: boolean): void {
    const bucket = Math.floor(nowMs / this.#widthMs)
    if (bucket > this.#newest) this.#turn(bucket)
    const at = this.#newest % BUCKETS
    if (good) {
      this.#good[at] = (this.#good[at] ?? 0) + 1
      this.#goods++
    } else {
      this.#bad[at] = (this.#bad[at] ?? 0) + 1
      this.#bads++
    }
  }

  clear(): void {
    this.#good.fill(0)
    this.#bad.fill(0)
    this.#goods = this.#bads = 0
  }

  #turn(bucket: number): void {
    // After an idle time longer than the window every bucket is stale, and each is emptied once.
    for (let stale = Math.max(this.#newest, bucket - BUCKETS) + 1; stale <= bucket; stale++) {
      const at = stale % BUCKETS
      this.#goods -= this.#good[at] ?? 0
      this.#bads -= this.#bad[at] ?? 0
      this.#good[at] = this.#bad[at] = 0
    }
    this.#newest = bucket
  }
}
