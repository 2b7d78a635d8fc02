import { beforeAll, describe, test } from 'vitest'
import { redisStore, type RedisClient } from '../../../src/state/redis.js'
import { storeConformance } from '../../../src/testing/conformance/index.js'
import { clients, describeRedis, installed, Opened } from './clients.js'
import { startCluster, startSentinel, startServer } from './servers.js'

describeRedis('the redis store is a store', () => {
  const opened = new Opened()
  const made = new Map<string, RedisClient>()
  let stores = 0

  beforeAll(async () => {
    const server = opened.server(await startServer())
    made.set('node-redis', await opened.node(clients.node(server.port)))
    made.set('node-redis, RESP 3', await opened.node(clients.node(server.port, { RESP: 3 })))
    made.set('node-redis, a pool', await opened.node(clients.nodePool(server.port)))
    made.set('ioredis', opened.io(clients.io(server.port, { keyPrefix: 'app:', stringNumbers: true, enableAutoPipelining: true })))
    const sentinel = opened.server(await startSentinel(server))
    made.set('node-redis, a sentinel', await opened.node(clients.nodeSentinel(sentinel.port)))
    made.set('ioredis, a sentinel', opened.io(clients.ioSentinel(sentinel.port)))
    const ports = (await startCluster()).map(node => opened.server(node).port)
    made.set('node-redis, a cluster', await opened.node(clients.nodeCluster(ports)))
    made.set('ioredis, a cluster', opened.io(clients.ioCluster(ports)))
  })

  describe.each(['node-redis', 'node-redis, RESP 3', 'node-redis, a pool', 'node-redis, a sentinel', 'node-redis, a cluster', 'ioredis', 'ioredis, a sentinel', 'ioredis, a cluster'])('%s', kind => {
    const conformance = storeConformance(clock => {
      const client = made.get(kind)
      if (client === undefined) throw new Error(`no ${kind}`)
      return redisStore(client, { prefix: `store ${++stores}`, now: () => clock.now() })
    })
    for (const check of conformance) test(check.name, () => check.run())
  })
})

const url = process.env['REDIS_URL']

// A server of somebody else's: names of its own, which end with it or stay few.
if (url !== undefined && installed) {
  describe('the redis store on the server of REDIS_URL', () => {
    const opened = new Opened()
    const run = Date.now()
    let client: RedisClient | undefined
    let stores = 0
    beforeAll(async () => {
      client = await opened.node(clients.node(0, { url }))
    })
    for (const check of storeConformance(clock => redisStore(client as RedisClient, { prefix: `test ${run} ${++stores}`, now: () => clock.now() }))) test(check.name, () => check.run())
  })
}
