import { describe, expect, it } from 'vitest'
import { logPlugin, type LogDeps } from '../../src/plugins/log.js'
import type { LogTarget, Sink } from '../../src/plugins/sinks.js'
import { GatewayError } from '../../src/protocol/errors.js'
import type { CallRecord } from '../../src/protocol/result.js'
import { attempt, CONTENT, HandClock, record, settle } from './log-helpers.js'

function setup(targets: LogTarget | readonly LogTarget[], over: Partial<LogDeps> = {}) {
  const clock = new HandClock()
  const plugin = logPlugin(targets, { clock, defer: fn => void setImmediate(fn), ...over })
  return { clock, plugin, observe: (one: CallRecord) => plugin.observe?.(one), flush: () => plugin.flush?.(), close: () => plugin.close?.(), dropped: () => plugin.dropped?.() }
}

function keeping(over: Partial<Sink> = {}) {
  const records: CallRecord[] = []
  return { records, sink: { name: 'keep', write: (batch: readonly CallRecord[]) => void records.push(...batch), ...over } satisfies Sink }
}

describe('targets', () => {
  it('a hanging target holds up neither calls nor the other target', async () => {
    const { sink, records } = keeping()
    const { clock, observe, dropped, close } = setup([{ name: 'stuck', write: () => new Promise<void>(() => {}) }, sink], { maxBuffered: 4, maxBatch: 2 })
    for (let i = 0; i < 10; i++) {
      observe(record(i))
      await settle()
    }
    await clock.advance(1_000)
    expect(records.map(one => one.id)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    expect(dropped()).toBe(6)
    const closed = close()
    await clock.advance(5_000)
    await closed
    expect(dropped()).toBe(10)
    expect(records).toHaveLength(10)
  })

  it('a function gets batches of records', async () => {
    const batches: number[] = []
    const { clock, observe } = setup(records => void batches.push(records.length))
    for (let i = 0; i < 100; i++) observe(record(i))
    await settle()
    observe(record(100))
    await clock.advance(1_000)
    expect(batches).toEqual([100, 1])
  })

  it('a sink that is a class keeps its this', async () => {
    class Table implements Sink {
      readonly name = 'table'
      #rows: string[] = []
      write(records: readonly CallRecord[]) {
        this.#rows.push(...records.map(one => one.id))
      }
      get rows() {
        return this.#rows
      }
    }
    const table = new Table()
    const { observe, flush } = setup(table)
    observe(record(1))
    await flush()
    expect(table.rows).toEqual(['1'])
  })

  it('sums what was lost over targets, and observe never throws', async () => {
    const throwing = () => { throw new Error('no') }
    const { observe, flush, dropped } = setup([throwing, { name: 'other', write: () => Promise.reject(new Error('no')) }])
    expect(() => observe(record(1))).not.toThrow()
    await flush()
    expect(dropped()).toBe(2)
  })

  it('takes an empty list, so that targets can be conditional', async () => {
    const { plugin, observe, close, dropped, clock } = setup([])
    observe(record(1))
    await close()
    expect([plugin.content, dropped(), clock.armed]).toEqual([false, 0, 0])
  })
})

describe('content', () => {
  it('only a target that asked for prompts and answers gets them', async () => {
    const wants = keeping({ content: true })
    const not = keeping()
    const calls: object[] = []
    const logger = { info: (obj: object) => void calls.push(obj), warn() {}, error() {} }
    const seen: CallRecord[] = []
    const { plugin, observe, flush } = setup([wants.sink, not.sink, logger, records => void seen.push(...records)])
    expect(plugin.content).toBe(true)
    observe(record(1, { content: CONTENT, metadata: { team: 'a' } }))
    await flush()
    expect(wants.records[0]?.content).toEqual(CONTENT)
    for (const bare of [not.records[0], calls[0], seen[0]]) {
      expect(bare).toMatchObject({ id: '1', metadata: { team: 'a' } })
      expect(bare).not.toHaveProperty('content')
      expect(Object.isFrozen(bare)).toBe(true)
    }
  })

  it('does not make the gateway keep content that no target wants', () => {
    expect(setup([keeping().sink, () => {}]).plugin.content).toBe(false)
  })
})

describe('a logger', () => {
  function pinoLike() {
    const lines: { level: string; obj: object; msg: string | undefined }[] = []
    // Like pino: methods live on a prototype and need their this.
    class Logger {
      level = 'info'
      #log(level: string, obj: object, msg?: string) {
        lines.push({ level, obj, msg })
      }
      info(obj: object, msg?: string) { this.#log('info', obj, msg) }
      warn(obj: object, msg?: string) { this.#log('warn', obj, msg) }
      error(obj: object, msg?: string) { this.#log('error', obj, msg) }
      flush() { throw new Error('the logger is the application\'s own') }
      write() { throw new Error('winston is a stream') }
    }
    return { logger: new Logger(), lines }
  }

  it('gets each record once, as loud as the call went', async () => {
    const { logger, lines } = pinoLike()
    const { observe, flush } = setup(logger)
    const all = [
      record('fine'),
      record('passed over', { attempts: [attempt({ outcome: 'skipped', reason: 'open' }), attempt()] }),
      record('left', { outcome: 'aborted' }),
      record('second try', { attempts: [attempt({ outcome: 'failure', code: 'overloaded' }), attempt()] }),
      record('changed', { warnings: [{ code: 'dropped', message: 'seed was dropped', parameter: 'seed' }] }),
      record('restarted', { restarts: 1 }),
      record('lost', { outcome: 'failure', code: 'attempts_failed', attempts: [attempt({ outcome: 'failure' })] }),
    ]
    all.forEach(observe)
    await flush()
    expect(lines.map(line => line.level)).toEqual(['info', 'info', 'info', 'warn', 'warn', 'warn', 'error'])
    expect(lines.map(line => line.obj)).toEqual(all)
    expect(lines.map(line => line.msg)).toEqual([
      'smart was answered by openai/m in 12 ms with 1 attempt',
      'smart was answered by openai/m in 12 ms with 1 attempt',
      'smart was aborted after 12 ms and 1 attempt',
      'smart was answered by openai/m in 12 ms with 2 attempts',
      'smart was answered by openai/m in 12 ms with 1 attempt',
      'smart was answered by openai/m in 12 ms with 1 attempt',
      'smart failed with attempts_failed after 12 ms and 1 attempt',
    ])
  })

  it('that throws or rejects for one record repeats and loses only that one', async () => {
    const seen: string[] = []
    const info = async (obj: object) => {
      const { id } = obj as CallRecord
      seen.push(id)
      if (id === '2') throw new Error('no')
    }
    const { observe, flush, dropped } = setup({ info, warn() {}, error() {} })
    for (const id of [1, 2, 3]) observe(record(id))
    await flush()
    expect(seen).toEqual(['1', '2', '2', '3'])
    expect(dropped()).toBe(1)
  })

  it('a model name from outside cannot forge a second log line', async () => {
    const { logger, lines } = pinoLike()
    const { observe, flush } = setup(logger)
    observe(record(1, { model: `a\n\u001b[2J\u202e${'x'.repeat(500)}` }))
    await flush()
    expect(lines[0]?.msg).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(lines[0]?.msg?.length).toBeLessThan(250)
  })
})

describe('arguments that cannot work are refused at construction', () => {
  const clock = new HandClock()
  const good = { clock, defer: (fn: () => void) => fn() }
  const same = () => {}
  it.each<[string, unknown, unknown, RegExp]>([
    ['no target', undefined, good, /log is not a log target/],
    ['a string', ['calls.jsonl'], good, /log\[0\] is not a log target/],
    ['half a logger', { info() {} }, good, /not a log target/],
    ['a sink without a name', { write() {} }, good, /not a log target/],
    ['a list in a list', [[() => {}]], good, /log\[0\] is not a log target/],
    ['the same target twice', [same, same], good, /given twice/],
    ['a batch size of 0', { name: 'a', write() {}, maxBatch: 0 }, good, /log.maxBatch must be a whole number of at least 1/],
    ['content that is not boolean', { name: 'a', write() {}, content: 'no' }, good, /content must be a boolean/],
    ['close that is not a function', { name: 'a', write() {}, close: 1 }, good, /close must be a function/],
    ['flush that is not a function', { name: 'a', write() {}, flush: true }, good, /flush must be a function/],
    ['no dependencies', () => {}, undefined, /must be an object/],
    ['no clock', () => {}, { defer: good.defer }, /needs a clock/],
    ['no defer', () => {}, { clock }, /defer function/],
    ['a buffer without end', () => {}, { ...good, maxBuffered: Infinity }, /maxBuffered/],
    ['a NaN', () => {}, { ...good, maxDelayMs: NaN }, /maxDelayMs/],
    ['no batch', () => {}, { ...good, maxBatch: 0 }, /maxBatch/],
    ['no flush time', () => {}, { ...good, maxFlushMs: '5s' }, /maxFlushMs/],
    ['a misspelt bound', () => {}, { ...good, maxBufferd: 5 }, /Did you mean "maxBuffered"/],
  ])('%s', (_, targets, deps, message) => {
    let thrown: unknown
    try {
      logPlugin(targets as LogTarget, deps as LogDeps)
    } catch (error) {
      thrown = error
    }
    expect(GatewayError.is(thrown) && thrown.code).toBe('invalid_config')
    expect((thrown as Error).message).toMatch(message)
  })
})
