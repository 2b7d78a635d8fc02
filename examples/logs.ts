// One structured record per call, to as many sinks as you like. Prompts stay out unless a sink asks for them.
import { Gateway, consoleSink, fallback, type Sink } from 'sallyport'
import { scripted } from 'sallyport/testing'

const spent = new Map<string, number>()
const withContent: Sink = {
  name: 'audit',
  content: true,
  write: records => {
    for (const { id, content } of records) console.log(`audit ${id.slice(0, 5)}...: ${content?.text}`)
  },
}

const price = { input: 1, output: 5 }
const gateway = new Gateway({
  routes: {
    smart: fallback(scripted({ id: 'primary', price, answers: [{ fail: { status: 500 } }, 'Fine.'] }), scripted({ id: 'backup', price, answers: 'Also fine.' })),
  },
  retry: { attempts: 1 },
  log: [
    consoleSink(),
    withContent,
    records => {
      for (const { metadata, costNanos } of records) spent.set(String(metadata?.['team']), (spent.get(String(metadata?.['team'])) ?? 0) + (costNanos ?? 0))
    },
  ],
})

for (const team of ['red', 'blue', 'red']) await gateway.chat({ model: 'smart', messages: 'How are you?' }, { metadata: { team } })
// Records are written in batches behind the calls; in a serverless function, flush before returning.
await gateway.flush()
for (const [team, nanos] of spent) console.log(`${team} spent $${nanos / 1e9}`)
console.log('records lost:', gateway.health().log.dropped)
await gateway.close()
