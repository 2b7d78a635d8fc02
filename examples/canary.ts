// A new model gets one call in five, a user keeps its side, and a third one sees copies that nobody waits for.
import { Gateway, canary, mirror } from 'sallyport'
import { scripted } from 'sallyport/testing'

const stable = scripted({ id: 'stable', answers: 'As always.' })
const trial = scripted({ id: 'trial', answers: 'Something new.' })
const candidate = scripted({ id: 'candidate', answers: 'Nobody reads this.' })

const gateway = new Gateway({
  routes: { support: mirror(canary(stable, trial, { share: 0.2, sticky: 'user' }), candidate, { share: 0.5 }) },
})

const sides = new Map<string, string[]>()
for (let user = 1; user <= 50; user++) {
  const id = `user-${user}`
  const { deployment } = await gateway.chat({ model: 'support', messages: 'Hello' }, { principal: { user: id } })
  const again = await gateway.chat({ model: 'support', messages: 'Me again' }, { principal: { user: id } })
  if (again.deployment !== deployment) throw new Error(`${id} changed sides`)
  sides.set(deployment, [...(sides.get(deployment) ?? []), id])
}
for (const [deployment, users] of sides) console.log(`${deployment}: ${users.length} users, such as ${users.slice(0, 4).join(', ')}`)
// Copies are sent behind the calls, so the last ones may be under way.
do await new Promise(resolve => setTimeout(resolve, 5))
while (gateway.health().shadows > 0)
console.log(`copies seen by the candidate: ${candidate.calls.length}`)
await gateway.close()
