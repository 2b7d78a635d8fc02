import { Child, once } from './children.mjs'
import { file } from './clients.mjs'
import { SOAK } from './plan.mjs'
import { MESSAGES, MODEL } from './wire.mjs'

/** Everything one run measures, against one server. A client that fails is left out from there on, with the reason. */
export class Run {
  #plan
  #clients
  #server
  #baseUrl = ''
  #children = new Map()
  #say
  #startedMs = performance.now()
  samples = new Map()
  failed = new Map()

  constructor(plan, clients, say) {
    this.#plan = plan
    this.#say = say
    this.#clients = clients.filter(client => client.missing === undefined)
    for (const client of clients) if (client.missing !== undefined) this.failed.set(client.name, client.missing)
    for (const client of this.#clients) this.samples.set(client.name, new Map())
  }

  async open() {
    this.#server = new Child(file('server.mjs'))
    this.#baseUrl = `http://127.0.0.1:${(await this.#server.ready).port}/v1`
    await this.#each(async client => {
      const child = new Child(file('child.mjs'), [this.#argument(client)])
      this.#children.set(client.name, child)
      await child.ready
    })
  }

  /** All clients take turns at each round, and each round starts with another one. */
  async rounds() {
    this.#say('warming up')
    await this.#each(async client => {
      for (const operation of this.#plan.warmUp) await this.#operate(client, operation)
    })
    for (let round = 0; round < this.#plan.rounds; round++) {
      if (round >= this.#plan.minRounds && performance.now() - this.#startedMs > this.#plan.budgetMs) break
      this.#say(`round ${round + 1} of ${this.#plan.rounds}`)
      for (const operation of this.#plan.operations) {
        await this.#each(async client => {
          if (operation.only === undefined || operation.only === client.name) this.#keep(client, operation.name, round, await this.#operate(client, operation))
        }, round)
      }
    }
    for (const child of this.#children.values()) child.stop()
    this.#children.clear()
  }

  async cold() {
    this.#say('fresh processes')
    for (let round = -1; round < this.#plan.coldRuns; round++) {
      await this.#each(async client => {
        const sample = await once(file('cold.mjs'), [this.#argument(client)])
        // The first one fills the disk cache.
        if (round >= 0) this.#keep(client, 'cold', round, sample)
      }, Math.max(round, 0))
    }
  }

  async memory() {
    this.#say('open streams')
    for (let round = 0; round < this.#plan.memoryRuns; round++) {
      await this.#each(async client => this.#keep(client, 'held', round, await this.#held(client)), round)
    }
  }

  /** Heap after each part of 50,000 calls, every twentieth a stream. */
  async soak(names) {
    await this.#each(async client => {
      if (!names.includes(client.name)) return
      this.#say(`50,000 calls of ${client.title}`)
      const points = await this.#withFresh(client, ['--expose-gc'], child => this.#grow(child))
      this.#keep(client, 'soak', 0, points)
    })
  }

  close() {
    for (const child of this.#children.values()) child.stop()
    this.#server?.stop()
  }

  async #grow(child) {
    const points = []
    await this.#server.ask({ shape: this.#plan.short })
    // The first part is the warm-up.
    for (let segment = -1; segment < SOAK.segments; segment++) {
      await child.ask({ op: 'calls', concurrency: 50, count: SOAK.chats })
      await child.ask({ op: 'streams', concurrency: 50, repeat: SOAK.streams / 50, chunks: this.#plan.short.chunks })
      points.push(await child.ask({ op: 'memory' }))
    }
    return points
  }

  #argument(client) {
    return JSON.stringify([client.module, this.#baseUrl, MODEL, JSON.stringify(MESSAGES)])
  }

  async #operate(client, { name: _, only: __, shape, freshAfter, ...operation }) {
    if (shape !== undefined) await this.#server.ask({ shape })
    if (freshAfter === undefined) return this.#children.get(client.name).ask(operation)
    return this.#withFresh(client, [], async child => {
      await child.ask({ ...operation, repeat: freshAfter })
      return child.ask(operation)
    })
  }

  async #withFresh(client, execArgv, work) {
    const child = new Child(file('child.mjs'), [this.#argument(client)], execArgv)
    try {
      await child.ready
      return await work(child)
    } finally {
      child.stop()
    }
  }

  #held(client) {
    return this.#withFresh(client, ['--expose-gc'], async child => {
      await this.#server.ask({ shape: { kind: 'hold' } })
      let sample
      // The first time code is compiled and pools are built; only the second is kept.
      for (let time = 0; time < 2; time++) {
        sample = await child.ask({ op: 'hold', count: this.#plan.heldStreams })
        await this.#server.ask({ release: true })
        await child.ask({ op: 'drain' })
      }
      return sample
    })
  }

  #keep({ name }, operation, round, sample) {
    const samples = this.samples.get(name)
    if (!samples.has(operation)) samples.set(operation, [])
    samples.get(operation)[round] = sample
  }

  async #each(work, from = 0) {
    const { length } = this.#clients
    for (let i = 0; i < length; i++) {
      const client = this.#clients[(i + from) % length]
      if (this.failed.has(client.name)) continue
      try {
        await work(client)
      } catch (error) {
        this.failed.set(client.name, error instanceof Error ? error.message : String(error))
        this.#children.get(client.name)?.stop()
      }
    }
  }
}
