import type { KeyRecord, VirtualKey } from './keys-record.js'
import { publicKey } from './keys-record.js'
import { digest, type Digest } from '../protocol/sha256.js'

/** The two steps of a proof: what a test counts. */
export interface Proof {
  digest(text: string): Digest
  same(a: Digest, b: Digest): boolean
}

/** Takes the same time wherever two digests differ. */
function same(a: Digest, b: Digest): boolean {
  let differs = a.length ^ b.length
  for (let at = 0; at < a.length; at++) differs |= (a[at] as number) ^ (b[at] as number)
  return differs === 0
}

export const PROOF: Proof = { digest, same }

/** A key as it is held for proofs: digests read once, every condition a number. */
export interface Held {
  /** Absent where nobody has this id. */
  readonly key: VirtualKey | undefined
  readonly hash: Digest
  readonly oldHash: Digest
  readonly oldUntilMs: number
  readonly expiresAtMs: number
  readonly revoked: boolean
}

const NO_DIGEST: Digest = new Int32Array(8)
/** What an unknown key is compared with. */
export const NOBODY: Held = { key: undefined, hash: NO_DIGEST, oldHash: NO_DIGEST, oldUntilMs: -Infinity, expiresAtMs: Infinity, revoked: false }

function digestOf(hex: string): Digest {
  return Int32Array.from({ length: 8 }, (_, at) => parseInt(hex.slice(at * 8, at * 8 + 8), 16) | 0)
}

export function held(record: KeyRecord): Held {
  return {
    key: publicKey(record),
    hash: digestOf(record.hash),
    oldHash: record.old === undefined ? NO_DIGEST : digestOf(record.old.hash),
    oldUntilMs: record.old?.untilMs ?? -Infinity,
    expiresAtMs: record.expiresAt ?? Infinity,
    revoked: record.revokedAt !== undefined,
  }
}

/** The key whose secret part this is, where it is valid now. One digest and two compares, whatever is wrong. */
export function proven(proof: Proof, secretPart: string, holder: Held, nowMs: number): VirtualKey | undefined {
  const given = proof.digest(secretPart)
  const current = Number(proof.same(given, holder.hash))
  const old = Number(proof.same(given, holder.oldHash)) & Number(nowMs < holder.oldUntilMs)
  // Not && and ||, which stop at the first answer.
  const valid = (current | old) & Number(nowMs < holder.expiresAtMs) & Number(!holder.revoked) & Number(holder.key !== undefined)
  return valid === 1 ? holder.key : undefined
}
