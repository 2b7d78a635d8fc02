import type { ChatEvent } from '../../protocol/events.js'
import { isObject, type Json } from '../../protocol/json.js'
import { DIALECT, jsonOf, mergeVendors, type Fields, type VendorOptions } from './model.js'
import { idOf } from './parts.js'

export type Kind = 'text' | 'reasoning'
interface Block {
  readonly kind: Kind
  metadata: VendorOptions
}

/**
 * The blocks of text and reasoning of one answer. A collector of events has one part open at a time, the blocks of a stream
 * may overlap: what a block says of itself at its end must reach its own part.
 */
export class Blocks {
  readonly #open = new Map<string, Block>()
  #afterwards: Block[] = []
  #current: Block | undefined
  /** The kind of the part a collector has open. */
  #writing: Kind | undefined

  begin(kind: Kind, part: Fields, out: ChatEvent[]): Block {
    // Two blocks of a kind stay two parts, so that what belongs to the second is not hung on both.
    this.seal(kind, out)
    const block: Block = { kind, metadata: mergeVendors(part['providerMetadata']) }
    this.#open.set(idOf(part), block)
    return (this.#current = block)
  }

  delta(kind: Kind, part: Fields, text: string, out: ChatEvent[]): void {
    const block = this.#open.get(idOf(part)) ?? this.begin(kind, part, out)
    block.metadata = mergeVendors(block.metadata, part['providerMetadata'])
    if (text === '') return
    if (block !== this.#current) this.seal(block.kind, out)
    this.#current = block
    out.push({ type: `${block.kind}-delta`, text })
    this.#writing = block.kind
  }

  end(part: Fields, out: ChatEvent[]): void {
    const block = this.#open.get(idOf(part))
    if (block === undefined) return
    this.#open.delete(idOf(part))
    block.metadata = mergeVendors(block.metadata, part['providerMetadata'])
    // Where its part is closed already, what it says at last gets a part of its own, when nothing else is being written.
    if (block === this.#current) this.#close(block, out)
    else this.#afterwards.push(block)
    if (this.#open.size === 0) for (const late of this.#afterwards.splice(0)) this.#close(late, out)
  }

  endAll(out: ChatEvent[]): void {
    for (const id of [...this.#open.keys()]) this.end({ id }, out)
  }

  /** Something else opens a part. */
  leave(kind?: Kind): void {
    this.#writing = kind
  }

  /** Closes the part that a collector has open, where it is of this kind. */
  seal(kind: Kind, out: ChatEvent[]): void {
    if (this.#writing === kind) this.attach(kind, {}, out)
  }

  attach(on: Kind, data: Json, out: ChatEvent[]): void {
    out.push({ type: 'provider-data', dialect: DIALECT, data, on })
    this.#writing = undefined
  }

  #close(block: Block, out: ChatEvent[]): void {
    if (block === this.#current) this.#current = undefined
    const options = jsonOf(block.metadata)
    if (isObject(options) && Object.keys(options).length > 0) this.attach(block.kind, { providerOptions: options as Json }, out)
  }
}
