import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateText, streamText } from 'ai'

export function create({ baseUrl, model: id, messages: [system, ...messages] }) {
  const model = createOpenAICompatible({ name: 'bench', apiKey: 'sk-bench', baseURL: baseUrl })(id)
  const request = { model, system: system.content, messages }
  return {
    chat: async () => (await generateText(request)).text,
    async stream(onText) {
      for await (const text of streamText(request).textStream) onText(text)
    },
  }
}
