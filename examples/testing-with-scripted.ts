// How to test an application: swap the routes, move the clock by hand, look at what was asked and what is left.
import assert from 'node:assert/strict'
import { Gateway, fallback, openai } from 'sallyport'
import { scripted, seededRandom, virtualClock } from 'sallyport/testing'

// The application's own gateway.
const production = new Gateway({ routes: { smart: fallback(openai('gpt-5.6'), openai('gpt-5.6-mini')) } })

const clock = virtualClock()
const primary = scripted({ id: 'primary', answers: [{ fail: { status: 429, retryAfterMs: 5_000 } }, { text: 'Hello', latencyMs: 200 }] })
const gateway = production.with({ routes: { smart: primary }, clock, random: seededRandom(1) })

const pending = gateway.chat({ model: 'smart', system: 'Be brief.', messages: 'Hi' })
await clock.advance(4_999)
assert.equal(primary.calls.length, 1)
await clock.advance(2_000)
const answer = await pending

assert.equal(answer.text, 'Hello')
assert.ok(answer.timings.totalMs >= 5_200)
assert.equal(primary.calls[1]?.request.messages[0]?.role, 'system')
assert.deepEqual([primary.open, clock.pending, gateway.health().calls], [0, 0, 0])
console.log(`waited ${Math.round(answer.timings.totalMs)} ms of virtual time, asked ${primary.calls.length} times, nothing is left`)
await Promise.all([gateway.close(), production.close()])
