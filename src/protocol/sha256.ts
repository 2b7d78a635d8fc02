const WORDS = 64

/** The first 32 bits behind the point of a root of a prime: where the constants of the algorithm come from. */
function bits(root: number): number {
  return ((root - Math.floor(root)) * 2 ** 32) | 0
}

function constants(): { readonly start: readonly number[]; readonly round: Int32Array } {
  const primes: number[] = []
  for (let n = 2; primes.length < WORDS; n++) if (primes.every(prime => n % prime !== 0)) primes.push(n)
  return { start: primes.slice(0, 8).map(prime => bits(Math.sqrt(prime))), round: Int32Array.from(primes, prime => bits(Math.cbrt(prime))) }
}

const { start: START, round: ROUND } = constants()

/** The bytes with the end mark and the length in bits, in whole blocks of 64. */
function padded(bytes: Uint8Array): DataView {
  const whole = new Uint8Array(((bytes.length + 8) >> 6) * 64 + 64)
  whole.set(bytes)
  whole[bytes.length] = 0x80
  const view = new DataView(whole.buffer)
  view.setUint32(whole.length - 8, Math.floor(bytes.length / 2 ** 29))
  view.setUint32(whole.length - 4, bytes.length << 3)
  return view
}

function schedule(w: Int32Array, view: DataView, offset: number): void {
  for (let i = 0; i < 16; i++) w[i] = view.getInt32(offset + i * 4)
  for (let i = 16; i < WORDS; i++) {
    const x = w[i - 15] as number
    const y = w[i - 2] as number
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)
    w[i] = ((w[i - 16] as number) + s0 + (w[i - 7] as number) + s1) | 0
  }
}

function compress(state: Int32Array, w: Int32Array): void {
  // By index: taking a typed array apart walks an iterator for each block.
  let a = state[0] as number
  let b = state[1] as number
  let c = state[2] as number
  let d = state[3] as number
  let e = state[4] as number
  let f = state[5] as number
  let g = state[6] as number
  let h = state[7] as number
  for (let i = 0; i < WORDS; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (ROUND[i] as number) + (w[i] as number)) | 0
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  state[0] = (state[0] as number) + a
  state[1] = (state[1] as number) + b
  state[2] = (state[2] as number) + c
  state[3] = (state[3] as number) + d
  state[4] = (state[4] as number) + e
  state[5] = (state[5] as number) + f
  state[6] = (state[6] as number) + g
  state[7] = (state[7] as number) + h
}

/** The 32 bytes of a SHA-256, as eight words. */
export type Digest = Int32Array

/** SHA-256 of bytes, or of the UTF-8 bytes of a text. Synchronous and without `node:`, which the platform's own is not. */
export function digest(input: string | Uint8Array): Digest {
  const view = padded(typeof input === 'string' ? new TextEncoder().encode(input) : input)
  const state = Int32Array.from(START)
  const w = new Int32Array(WORDS)
  for (let offset = 0; offset < view.byteLength; offset += 64) {
    schedule(w, view, offset)
    compress(state, w)
  }
  return state
}

/** A digest in hexadecimal. */
export function hexOf(words: Digest): string {
  return Array.from(words, word => (word >>> 0).toString(16).padStart(8, '0')).join('')
}

/** {@link digest} in hexadecimal. */
export function sha256(input: string | Uint8Array): string {
  return hexOf(digest(input))
}
