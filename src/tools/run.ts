import { validateRequest } from '../pipeline/validate.js'
import type { ChatRequest } from '../protocol/request.js'
import { Loop, type LoopParts } from './loop.js'
import { validateRun, type Asker, type ToolRun, type ToolRunOptions } from './options.js'

export { streamTools } from './stream.js'

/** Asks, runs the tools that are asked for, and asks again, until the model has answered or the run may not go on. */
export async function runTools<Output>(asker: Asker<unknown>, parts: LoopParts, request: ChatRequest<string, Output>, options: ToolRunOptions<Output>): Promise<ToolRun<Output>> {
  validateRun(options)
  validateRequest(request)
  const loop = new Loop<Output>(parts, request, options)
  try {
    for (;;) {
      const { asked, own } = loop.next()
      if (await loop.take(await asker.chat<Output>(asked, own), () => undefined)) return loop.result()
    }
  } catch (error) {
    throw loop.fault(error)
  } finally {
    loop.close()
  }
}
