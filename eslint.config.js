import tseslint from 'typescript-eslint'

const PROVIDERS =
  'openai|anthropic|google|gemini|vertex|google-vertex|azure|azure-openai|bedrock|amazon-bedrock|groq|mistral|cohere|deepseek|openrouter|together|togetherai|fireworks|fireworks-ai|' +
  'xai|perplexity|cerebras|sambanova|deepinfra|novita|nebius|hyperbolic|moonshot|moonshotai|zai|zhipu|zhipuai|alibaba|qwen|minimax|nvidia|huggingface|replicate|ai21|databricks|' +
  'ollama|vllm|lmstudio|llamacpp|cloudflare|github-models|vercel|venice|siliconflow|baseten|friendli|voyage|scaleway|ovhcloud|copilot|claude|gpt'

const ASKED = '/^(provider|strategy)$/'
const NAME_MESSAGE = 'nobody asks a thing its name: put what differs into the deployment or the adapter'
const AMBIENT = 'no ambient time, chance, network or memory: take it from the platform through the options'

const nameSide = (side, other) =>
  [`${side}.property.name=${ASKED}`, `${side}.expression.property.name=${ASKED}`].map(
    asked => `BinaryExpression[operator=/^[!=]==?$/][${asked}]:not([${other}.property.name=${ASKED}]):not([${other}.name=/^undefined$/]):not([${other}.value=''])`,
  )

// Two origins may be compared with each other, and a field with `undefined` or '': neither asks for a name.
const askedByName = [
  ...nameSide('left', 'right'),
  ...nameSide('right', 'left'),
  `SwitchStatement[discriminant.property.name=${ASKED}]`,
  `SwitchStatement[discriminant.expression.property.name=${ASKED}]`,
  `CallExpression[callee.property.name=/^(includes|indexOf|startsWith|endsWith|test)$/] > MemberExpression.arguments[property.name=${ASKED}]`,
  `CallExpression[callee.property.name=/^(includes|indexOf|startsWith|endsWith|match|localeCompare)$/][callee.object.property.name=${ASKED}]`,
].map(selector => ({ selector, message: NAME_MESSAGE }))

const providerNamed = [
  { selector: `:not(ImportDeclaration, ExportNamedDeclaration, ExportAllDeclaration) > Literal[value=/^(${PROVIDERS})$/]`, message: 'no provider is named outside src/providers' },
  { selector: `TemplateElement[value.raw=/^(${PROVIDERS})$/]`, message: 'no provider is named outside src/providers' },
]

const moduleState = ['Program > VariableDeclaration', 'ExportNamedDeclaration > VariableDeclaration'].map(at => ({
  selector: `${at}[kind=/^(let|var)$/]`,
  message: 'no module-level state: two gateways in one process share nothing',
}))

const thrown = { selector: 'ThrowStatement > :matches(Literal, TemplateLiteral, ObjectExpression, ArrayExpression, BinaryExpression)', message: 'throw an Error' }

// V8 makes them in the old space at once: all that they reach, a whole call, then outlives every small collection.
const OUTLIVES = 'V8 makes this function in the old space, where it keeps all it reaches until a full collection: decision 0020'
const outliving = [
  { selector: 'AssignmentExpression[left.type="MemberExpression"] > :matches(ArrowFunctionExpression, FunctionExpression).right', message: `${OUTLIVES}. Give it a name first, or make it a field` },
  { selector: ':matches(AssignmentExpression, ReturnStatement, CallExpression, NewExpression, ArrowFunctionExpression, VariableDeclarator) > ObjectExpression > Property[kind=/^[gs]et$/]', message: `${OUTLIVES}. Make it a class` },
]

const ambientSyntax = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: AMBIENT },
  { selector: "CallExpression[callee.name='Date']", message: AMBIENT },
]

const TIMERS = ['setTimeout', 'setImmediate']
const ambientGlobals = ['setInterval', 'fetch', 'process', 'performance', 'XMLHttpRequest', 'WebSocket', 'EventSource', ...TIMERS]
const ambientMembers = [
  ['Date', 'now'],
  ['performance', 'now'],
  ['Math', 'random'],
  ['crypto', 'randomUUID'],
  ['crypto', 'getRandomValues'],
  ['AbortSignal', 'timeout'],
  ...ambientGlobals.map(name => ['globalThis', name]),
  ...['crypto', 'Date', 'Math'].map(name => ['globalThis', name]),
]
const ambientModules = ['timers', 'timers/promises', 'process', 'perf_hooks'].flatMap(name => [name, `node:${name}`])

const ambient = exceptions => ({
  'no-restricted-globals': ['error', ...ambientGlobals.filter(name => !exceptions.includes(name)).map(name => ({ name, message: AMBIENT }))],
  'no-restricted-properties': ['error', ...ambientMembers.map(([object, property]) => ({ object, property, message: AMBIENT }))],
  'no-restricted-imports': ['error', { paths: ambientModules.map(name => ({ name, message: AMBIENT })) }],
})
const syntax = (...lists) => ({ 'no-restricted-syntax': ['error', thrown, ...lists.flat()] })

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/', '.cache/', '.scratch/', 'bench/', 'etc/'] },
  {
    files: ['**/*.ts', '**/*.mjs', '**/*.js'],
    languageOptions: { parser: tseslint.parser },
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'off' },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx', 'hack'] }],
      'max-lines': ['error', { max: 300 }],
      complexity: ['error', 15],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
    },
  },
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-ignore': true, 'ts-nocheck': true, 'ts-expect-error': 'allow-with-description' }],
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false, fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['src/**/*.ts', 'scripts/**', 'examples/**'],
    rules: { 'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }] },
  },
  {
    files: ['src/**/*.ts'],
    rules: { 'no-console': 'error', ...ambient([]), ...syntax(askedByName, providerNamed, moduleState, ambientSyntax) },
  },
  { files: ['src/providers/**/*.ts'], rules: syntax(moduleState, ambientSyntax, outliving) },
  {
    files: ['pipeline', 'protocol', 'resilience', 'routing', 'transport'].map(folder => `src/${folder}/**/*.ts`),
    rules: syntax(askedByName, providerNamed, moduleState, ambientSyntax, outliving),
  },
  { files: ['src/pipeline/response*.ts'], rules: syntax(askedByName, moduleState, ambientSyntax) },
  { files: ['src/plugins/**/*.ts'], rules: { 'no-console': 'off' } },
  { files: ['src/testing/clock.ts'], rules: ambient(TIMERS) },
  {
    files: ['src/platform/**/*.ts'],
    rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off', 'no-restricted-imports': 'off', ...syntax(askedByName, providerNamed, moduleState) },
  },
)
