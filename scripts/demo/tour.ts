import { failure } from './report.js'
import { verdict } from './check.js'
import { SCENES, type Playing, type Scene } from './scenes.js'
import { FIRST, SECOND, type Stage } from './stage.js'
import type { Page } from './terminal.js'

/** How many scenes were played, and how many came out right. */
export interface Tally {
  readonly scenes: number
  readonly right: number
}

async function playScene(scene: Scene, number: number, stage: Stage, page: Page, signal: AbortSignal): Promise<boolean> {
  page.blank()
  page.heading(`${number}. ${scene.title}`)
  page.paragraph(scene.about)
  page.paragraph(scene.call, 'dim')
  page.blank()
  page.paragraph(`> ${scene.question}`, 'cyan')
  const gateway = stage.begin(scene.faults, scene.settings)
  const playing: Playing = { stage, gateway, page, signal }
  try {
    return verdict(page, await scene.play(playing), scene.summary)
  } catch (error) {
    failure(page, error)
    return false
  } finally {
    await gateway.close()
  }
}

/** Plays the scenes on the two loopback providers. */
export async function playTour(page: Page, stage: Stage, signal: AbortSignal, scenes: readonly Scene[] = SCENES): Promise<Tally> {
  page.heading('sallyport demo')
  page.paragraph('Two providers run on this machine. They speak the real wires of OpenAI and Anthropic, at the pace of a real model, with recorded answers. No key is used.')
  page.paragraph(`The chain: ${FIRST.id}, and when that fails ${SECOND.id}. In most scenes the first one is made to fail. Prices are examples.`)
  let played = 0
  let right = 0
  for (const scene of scenes) {
    if (signal.aborted) break
    played++
    if (await playScene(scene, played, stage, page, signal)) right++
  }
  return { scenes: played, right }
}
