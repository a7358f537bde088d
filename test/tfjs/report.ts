/** What a run of tfjs-core's tests means against the failures that are known. */

export interface TestResult { readonly name: string, readonly passed: boolean, readonly message: string }
export interface KnownFailure { readonly test: string, readonly reason: string }
export interface Kernels { readonly graph: readonly string[], readonly fallback: readonly string[] }

/** One line for each thing that is not as the known failures say; `complete`: the run was of all tests. */
export function surprises (results: readonly TestResult[], known: readonly KnownFailure[], complete: boolean): string[] {
  const tests = new Map(known.map((failure) => [failure.test, failure]))
  const ran = new Set(results.map(({ name }) => name))
  return [
    ...results.filter(({ name, passed }) => !passed && !tests.has(name)).map(({ name, message }) =>
      `fails: ${name}\n    ${message.slice(0, 500).replaceAll('\n', '\n    ')}`
    ),
    ...results.filter(({ name, passed }) => passed && tests.has(name)).map(({ name }) =>
      `passes now, take it from the known failures: ${name}`
    ),
    ...(complete
      ? known.filter(({ test }) => !ran.has(test)).map(({ test }) => `is not among the tests, take it from the known failures: ${test}`)
      : [])
  ]
}

export function summary (results: readonly TestResult[]): string {
  return `${results.filter(({ passed }) => passed).length} of ${results.length} pass`
}

/** docs/engine-conformance.md */
export function page (
  version: string,
  results: readonly TestResult[],
  known: readonly KnownFailure[],
  { graph, fallback }: Kernels
): string {
  const failing = results.filter(({ passed }) => !passed).map(({ name }) =>
    `| ${name} | ${known.find(({ test }) => test === name)?.reason ?? 'not explained yet'} |`
  )
  return `# Conformance of the onnx backend

Written by \`npm run test:tfjs -- --write\`; \`npm run test:tfjs\` fails where it no longer holds.

tfjs-core ${version} ships the tests that its own backends are held to. On the onnx backend (provider \`cpu\`) **${summary(results)}**.
tfjs-backend-cpu passes them too, and two more ("Switching cpu backends") that exist only for a backend of that name.
Gradients are those of \`src/compute/gradients.ts\`, as in training.

## Failing tests

${failing.length === 0 ? 'None.' : ['| test | reason |', '|---|---|', ...failing].join('\n')}

## Kernels

${graph.length} of the ${graph.length + fallback.length} kernels of tfjs-backend-cpu run inside the graph:

${graph.join(', ')}.

${fallback.length} run on tfjs-backend-cpu: counted (\`fallbacks()\` of the engine), with one warning for each kernel name, and refused
inside a compiled step
unless their inputs are constants (\`LinSpace\` and \`Range\`, which have no inputs, are neither counted nor refused):

${fallback.join(', ')}.

Any kernel goes the same way where an input or the result is complex64 or string, which ONNX Runtime does not compute with. A SAM
training step has no
fallback; tests assert it.

## Where tfjs-backend-cpu is wrong and this backend is not

Found by \`test/unit/compute/kernels-properties.spec.ts\`; tfjs-core's own tests do not reach them.

- MaxPool3DGrad: windows that are not square in the last two axes get gradients at the wrong places.
- ResizeNearestNeighborGrad: all images of a batch but the first read the wrong gradients where the sizes differ; with \`alignCorners\`
and one row it never ends.
- MaxPoolWithArgmax: the places are said to be int32 but lie in a Float32Array.
- BatchMatMul over batches that are both broadcast; ResizeBilinearGrad with \`halfPixelCenters\`.

Kept as in tfjs although they look wrong: AvgPoolGrad divides by the whole window where part of it is padding; windows in volumes with
'same' padding
start behind the border where strides are wider than the window.
`
}
