import { describe, expect, it } from 'vitest'
import { Keepsake } from '../../src/pipeline/keepsake.js'

const asked = (length: number) => ({ messages: [{ role: 'user', content: 'x'.repeat(length) }] }) as const

/** What can be reached from a keepsake, whatever its fields are called. */
const kept = (keepsake: Keepsake): number => keepsake.size

describe('the newest call of each kind is kept', () => {
  it('one of each, however many calls there were, and none after clear()', () => {
    const keepsake = new Keepsake()
    for (let i = 0; i < 100; i++) keepsake.keep(i % 2 === 0 ? 'chat' : 'stream', {}, asked(10), 10)
    expect(kept(keepsake)).toBe(2)
    keepsake.clear()
    expect(kept(keepsake)).toBe(0)
  })

  it('but not a large prompt, a large answer, or an image', () => {
    const keepsake = new Keepsake()
    keepsake.keep('chat', {}, asked(262_145), 0)
    keepsake.keep('chat', {}, asked(10), 262_145)
    keepsake.keep('stream', {}, asked(200_000), 100_000)
    keepsake.keep('stream', {}, { messages: [{ role: 'user', content: [{ type: 'image', image: 'aGk=', mediaType: 'image/png' }] }] }, 0)
    expect(kept(keepsake)).toBe(0)
  })
})
