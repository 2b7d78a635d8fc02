import * as fc from 'fast-check'

/** How a model writes a placeholder it was given. */
export type Spelling = 'plain' | 'lower' | 'escaped' | 'spaced'

/** A value that somebody may want hidden, with a word that says what it is. */
export interface Value {
  readonly type: string
  readonly label: string
  readonly text: string
}

/** One piece of an answer. */
type Piece =
  | { readonly kind: 'words'; readonly text: string }
  /** A value the model made up. */
  | { readonly kind: 'value'; readonly value: Value }
  /** The placeholder of the value at `of` in the prompt. */
  | { readonly kind: 'token'; readonly of: number; readonly as: Spelling }

/** A prompt, what a model says to it, and how that is cut. */
export interface StreamCase {
  readonly values: readonly Value[]
  readonly pieces: readonly Piece[]
  /** Lengths of the chunks in UTF-16 units, used again from the start when they are used up. */
  readonly lengths: readonly number[]
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
const BASE62 = `${LETTERS}${LETTERS.toUpperCase()}0123456789`

const chars = (alphabet: string, length: number): fc.Arbitrary<string> =>
  fc.array(fc.nat({ max: alphabet.length - 1 }), { minLength: length, maxLength: length }).map(indexes => indexes.map(index => alphabet[index]).join(''))
const digits = (length: number): fc.Arbitrary<string> => chars('0123456789', length)

/** Digits with the one that makes Luhn's sum a multiple of ten. */
export function withLuhn(start: string): string {
  let sum = 0
  for (let i = start.length - 1, twice = true; i >= 0; i--, twice = !twice) {
    const digit = Number(start[i]) * (twice ? 2 : 1)
    sum += digit > 9 ? digit - 9 : digit
  }
  return `${start}${(10 - (sum % 10)) % 10}`
}

/** A German IBAN with the check digits of its bank and account: ISO 7064, mod 97-10. */
export function germanIban(account: string): string {
  // D is 13 and E is 14.
  const check = 98n - (BigInt(`${account}131400`) % 97n)
  return `DE${String(check).padStart(2, '0')}${account}`
}

const valueOf = (type: string, label: string, text: fc.Arbitrary<string>): fc.Arbitrary<Value> => text.map(made => ({ type, label, text: made }))
const grouped = (text: string, by: number): string => text.match(new RegExp(`.{1,${by}}`, 'g'))?.join(' ') ?? ''

const email = valueOf('EMAIL', 'email', fc.tuple(chars(LETTERS, 5), chars(LETTERS, 9)).map(([who, host]) => `${who}.w@${host}.net`))
const phone = valueOf('PHONE', 'phone', fc.tuple(fc.constantFrom('+44 20 7', '+49 30 9', '+33 1 4'), digits(3), digits(4)).map(([start, a, b]) => `${start}${a} ${b}`))
const card = valueOf('CREDIT_CARD', 'card', fc.tuple(digits(14), fc.boolean()).map(([rest, spaced]) => grouped(withLuhn(`4${rest}`), spaced ? 4 : 16)))
const iban = valueOf('IBAN', 'iban', fc.tuple(digits(17), fc.boolean()).map(([rest, spaced]) => grouped(germanIban(`3${rest}`), spaced ? 4 : 22)))
const ssn = valueOf('US_SSN', 'ssn', fc.tuple(fc.integer({ min: 701, max: 771 }), fc.integer({ min: 10, max: 99 }), fc.integer({ min: 1_000, max: 9_999 })).map(parts => parts.join('-')))
const ip = valueOf('IP', 'ip', fc.tuple(fc.integer({ min: 81, max: 89 }), fc.nat({ max: 255 }), fc.nat({ max: 255 }), fc.integer({ min: 1, max: 254 })).map(parts => parts.join('.')))
const secret = valueOf('SECRET', 'token', chars(BASE62, 36).map(rest => `ghp_${rest}`))

/** Values that are masked reversibly. */
export const values: fc.Arbitrary<Value> = fc.oneof(email, phone, card, iban, ssn, ip)
/** And those that never come back. */
const valuesAndSecrets: fc.Arbitrary<Value> = fc.oneof(email, phone, card, iban, ssn, ip, secret)

const SPELLINGS: readonly Spelling[] = ['plain', 'lower', 'escaped', 'spaced']
/** A placeholder as a model may write it. */
export function spelled(token: string, as: Spelling): string {
  if (as === 'lower') return token.toLowerCase()
  if (as === 'escaped') return token.replaceAll('_', '\\_')
  return as === 'spaced' ? token.replaceAll('_', ' ') : token
}

// What a stream must not take for the start of something for ever, or cut in two: brackets, both kinds of line end, surrogate pairs.
// No `(`, because `[x](` begins a link, in which nothing is restored.
const quietWords: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('The answer ', 'is here. ', 'and then ', 'ask them, ', 'so ', 'a\n', '- item ', 'done.\r\n') },
  { weight: 2, arbitrary: fc.constantFrom('[', ']', '[E', '[EMAIL', '[EMAIL_', '[EMAIL_9999]', '[x]', '[US_', '_x]', '\\_', '-- ', '"', '{"a":"', '{') },
  { weight: 1, arbitrary: fc.constantFrom('\u{1f600}', '\u00e9', '\u65e5\u672c', '\u200b', '\ufeff', '\u{1f468}\u200d\u{1f469}') },
)
// And what may or may not become a value with what comes next: keys, runs of digits.
const words: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: quietWords },
  { weight: 2, arbitrary: fc.constantFrom('-----BEGIN', 'key: ', '@', 'sk-', '://', '+', '(', 'write to ', 'call ', 'AB12') },
  { weight: 1, arbitrary: fc.nat({ max: 99_999_999 }).map(String) },
)
const saying = (text: fc.Arbitrary<string>): fc.Arbitrary<Piece> => text.map(said => ({ kind: 'words', text: said }))
const valuePiece: fc.Arbitrary<Piece> = valuesAndSecrets.map(value => ({ kind: 'value', value }))
const tokenPiece = (count: number): fc.Arbitrary<Piece> => fc.record({ kind: fc.constant('token' as const), of: fc.nat({ max: count - 1 }), as: fc.constantFrom(...SPELLINGS) })

/** Mostly short, because that is where a buffer goes wrong; sometimes everything at once. */
export const lengths: fc.Arbitrary<readonly number[]> = fc.oneof(
  { weight: 2, arbitrary: fc.constant([1]) },
  { weight: 6, arbitrary: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 }) },
  { weight: 2, arbitrary: fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 6 }) },
)

function spaced(pieces: readonly Piece[]): readonly Piece[] {
  const between: Piece = { kind: 'words', text: ' ' }
  return pieces.flatMap(piece => (piece.kind === 'words' ? [piece] : [between, piece, between]))
}

const apartOrNot = (pieces: fc.Arbitrary<readonly Piece[]>): fc.Arbitrary<readonly Piece[]> => fc.tuple(pieces, fc.nat({ max: 2 })).map(([made, roll]) => (roll === 0 ? made : spaced(made)))

/** A model that uses the placeholders it was given and makes nothing up. */
export const restoreCases: fc.Arbitrary<StreamCase> = fc.array(values, { minLength: 1, maxLength: 4 }).chain(made =>
  fc.record({
    values: fc.constant(made),
    pieces: fc.array(fc.oneof({ weight: 2, arbitrary: saying(quietWords) }, { weight: 1, arbitrary: tokenPiece(made.length) }), { minLength: 1, maxLength: 14 }).map(spaced),
    lengths,
  }),
)

/** A model that also makes values up; in a third of the cases they touch what is beside them, and may not be values any more. */
export const redactCases: fc.Arbitrary<StreamCase> = fc.array(values, { minLength: 1, maxLength: 3 }).chain(made =>
  fc.record({
    values: fc.constant(made),
    pieces: apartOrNot(fc.array(fc.oneof({ weight: 3, arbitrary: saying(words) }, { weight: 2, arbitrary: valuePiece }, { weight: 1, arbitrary: tokenPiece(made.length) }), { minLength: 1, maxLength: 14 })),
    lengths,
  }),
)

/** The prompt: a line for each value. */
export function promptOf({ values: made }: StreamCase): string {
  return made.map(({ label, text }) => `my ${label}: ${text}`).join('\n')
}

/** What stands for each value in the prompt as it was sent, in order; the value itself where it was not masked. */
export function tokensOf({ values: made }: StreamCase, masked: string): readonly string[] {
  return masked.split('\n').map((line, index) => line.slice(`my ${made[index]?.label ?? ''}: `.length))
}

/** What the model says, with what stands for each value in the prompt. */
export function answerOf({ pieces, values: made }: StreamCase, tokens: readonly string[]): string {
  return pieces
    .map(piece => {
      if (piece.kind === 'words') return piece.text
      if (piece.kind === 'value') return piece.value.text
      const token = tokens[piece.of] ?? ''
      return token === made[piece.of]?.text ? token : spelled(token, piece.as)
    })
    .join('')
}

/** What the caller should read of a restored answer. */
export function restoredOf({ pieces, values: made }: StreamCase): string {
  return pieces.map(piece => (piece.kind === 'words' ? piece.text : piece.kind === 'value' ? piece.value.text : (made[piece.of]?.text ?? ''))).join('')
}

/** A text in chunks of these lengths; none is empty, and a surrogate pair may be cut in two. */
export function chunksOf(text: string, by: readonly number[]): readonly string[] {
  const chunks: string[] = []
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const length = Math.max(1, by[turn % by.length] ?? 1)
    chunks.push(text.slice(at, at + length))
    at += length
  }
  return chunks
}

/** The same of its bytes, so that a character is cut too. */
export function byteChunksOf(text: string, by: readonly number[]): readonly Uint8Array[] {
  const bytes = new TextEncoder().encode(text)
  const chunks: Uint8Array[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = Math.max(1, by[turn % by.length] ?? 1)
    chunks.push(bytes.subarray(at, at + length))
    at += length
  }
  return chunks
}

/** Every way to cut a text into up to three chunks, and one character at a time. */
export function* everySplit(text: string): Generator<readonly string[]> {
  yield [text]
  yield [...chunksOf(text, [1])]
  for (let i = 1; i < text.length; i++) {
    yield [text.slice(0, i), text.slice(i)]
    for (let j = i + 1; j < text.length; j++) yield [text.slice(0, i), text.slice(i, j), text.slice(j)]
  }
}

/** So many cases, the same for the same seed. */
export function sampled(arbitrary: fc.Arbitrary<StreamCase>, count: number, seed: number): readonly StreamCase[] {
  return fc.sample(arbitrary, { numRuns: count, seed })
}
