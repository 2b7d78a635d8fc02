import { execFile, fork } from 'node:child_process'
import { promisify } from 'node:util'

const ASK_MS = 90_000
const STDERR_CHARS = 4_000
const running = new Set()

// Nothing of the shell's environment: a proxy or a tracing switch in it would be measured too.
const env = { NODE_ENV: 'production' }

/** A process of ours that answers one message at a time. */
export class Child {
  #process
  #waiting = new Map()
  #id = 0
  #stderr = ''
  #ready

  constructor(script, args = [], execArgv = []) {
    this.#process = fork(script, args, { env, execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    running.add(this.#process)
    this.#process.stderr.setEncoding('utf8')
    this.#process.stderr.on('data', text => (this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS)))
    this.#ready = this.#wait('ready')
    // Who never asks for `ready` must not be ended by its failure.
    this.#ready.catch(() => {})
    this.#process.on('message', message => this.#answer(message))
    this.#process.on('error', error => this.#fail(error))
    this.#process.on('exit', (code, signal) => this.#fail(new Error(`process ended (${signal ?? code})\n${this.#stderr}`)))
  }

  /** Its first message. */
  get ready() {
    return this.#ready
  }

  async ask(message) {
    const id = ++this.#id
    const answer = this.#wait(id)
    if (this.#process.connected) this.#process.send({ id, ...message })
    else this.#fail(new Error(`process has ended\n${this.#stderr}`))
    return (await answer).value
  }

  stop() {
    this.#process.kill('SIGKILL')
  }

  #wait(id) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id)
        reject(new Error(`no answer within ${ASK_MS} ms\n${this.#stderr}`))
      }, ASK_MS)
      this.#waiting.set(id, { resolve, reject, timer })
    })
  }

  #answer(message) {
    const id = message.id ?? 'ready'
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    clearTimeout(waiting.timer)
    if (message.error === undefined) waiting.resolve(message)
    else waiting.reject(new Error(message.error))
  }

  #fail(error) {
    running.delete(this.#process)
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer)
      reject(error)
    }
    this.#waiting.clear()
  }
}

/** Runs a script in a fresh process and reads the JSON it prints. */
export async function once(script, args) {
  const printed = promisify(execFile)(process.execPath, [script, ...args], { env, timeout: 30_000, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 })
  running.add(printed.child)
  try {
    return JSON.parse((await printed).stdout.trim().split('\n').at(-1))
  } finally {
    running.delete(printed.child)
  }
}

/** Ends every process that was started here and still runs. */
export function stopAll() {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
}
