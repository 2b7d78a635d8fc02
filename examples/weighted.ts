// Three in four calls go to one deployment, the rest to the other; each is the other's fallback, and a user stays where it is.
import { Gateway, weighted } from 'sallyport'
import { scripted } from 'sallyport/testing'

const main = scripted({ id: 'main', answers: 'From main.' })
const second = scripted({ id: 'second', answers: attempt => (attempt % 5 === 0 ? { fail: { status: 503 } } : 'From second.') })

const gateway = new Gateway({
  routes: {
    drawn: weighted([main, 3], [second, 1]),
    exact: weighted([main, 3], [second, 1], { smooth: true }),
    sticky: weighted([main, 3], [second, 1], { sticky: 'user' }),
  },
  retry: { attempts: 1 },
})

for (const model of ['drawn', 'exact'] as const) {
  const count: Record<string, number> = {}
  let rescued = 0
  for (let call = 0; call < 40; call++) {
    const { deployment, attempts } = await gateway.chat({ model, messages: 'Hello' })
    count[deployment] = (count[deployment] ?? 0) + 1
    if (attempts.length > 1) rescued++
  }
  console.log(`${model}: ${JSON.stringify(count)}, ${rescued} answered by the other one`)
}

for (const user of ['ann', 'bob', 'cleo', 'dan', 'eve']) {
  const asked: string[] = []
  for (let call = 0; call < 3; call++) asked.push((await gateway.chat({ model: 'sticky', messages: 'Hello' }, { principal: { user } })).attempts[0]?.deployment ?? '')
  console.log(`${user}: ${asked.join(', ')}`)
}
await gateway.close()
