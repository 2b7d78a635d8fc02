import { describe, expect, it } from 'vitest'
import { bodyKind } from '../../src/transport/sniff.js'

const byte = (char: string): number => char.charCodeAt(0)

describe('a body of a dialect with frames of its own', () => {
  it.each([
    ['{', 'application/json', 'json'],
    ['{', 'application/json; charset=utf-8', 'json'],
    ['<', 'text/html', 'html'],
    ['\0', 'application/vnd.amazon.eventstream', 'frames'],
    // The first byte of a frame may be any.
    ['{', 'application/vnd.amazon.eventstream', 'frames'],
    ['<', 'application/octet-stream', 'frames'],
    ['{', undefined, 'json'],
    ['[', '', 'json'],
    ['{', 'text/plain', 'json'],
    ['<', 'text/plain', 'html'],
    ['{', '**REDACTED**', 'json'],
    ['\0', undefined, 'frames'],
    ['\0', 'text/plain', 'frames'],
  ])('that begins with %j and is said to be %s is %s', (first, type, kind) => {
    expect(bodyKind(byte(first), type, true)).toBe(kind)
  })

  it('a body of any other dialect goes by its first byte', () => {
    expect(bodyKind(byte('{'), 'text/event-stream', false)).toBe('json')
    expect(bodyKind(byte('d'), 'application/json', false)).toBe('frames')
    expect(bodyKind(byte('"'), 'application/json', false)).toBe('json')
  })
})
