/** The import table of docs/DESIGN (ARCHITECTURE.md): who may import whom, and which outside packages. */
const inside = {
  adapter: [],
  dataset: [],
  compute: [],
  model: ['adapter', 'dataset', 'compute'],
  'gossip-aggregation': ['adapter'],
  protocol: ['adapter']
}
const outside = {
  adapter: ['^crypto$', '^node:crypto$'],
  dataset: ['^(node:)?(fs|path|zlib|util|crypto)(/promises)?$', 'node_modules/(sharp|nifti-reader-js|pure-rand|zod)/'],
  compute: [
    '^(node:)?(fs|path|os|module|url|crypto|events|child_process)(/promises)?$',
    'node_modules/(@tensorflow|onnxruntime-(node|common)|onnx-proto)/',
    '^build/tfjs-gradients'
  ],
  model: ['^(node:)?(crypto|path)$', 'node_modules/(@tensorflow/tfjs-core|ml-matrix)/'],
  'gossip-aggregation': ['^build/vector-kernels'],
  protocol: [
    'node_modules/(@libp2p|protons-runtime|it-length-prefixed|uint8arrays|uint8arraylist|@multiformats|multiformats)/',
    '^(node:)?crypto$'
  ]
}

const rules = Object.keys(inside).map((folder) => ({
  name: `layers-${folder}`,
  comment: `src/${folder} may import only: ${['errors', ...inside[folder]].join(', ')} and its own outside packages`,
  severity: 'error',
  from: { path: `^(test/fixtures/layers/)?src/${folder}/` },
  to: {
    pathNot: [
      `^(test/fixtures/layers/)?src/(errors\\.ts$|${[folder, ...inside[folder]].map((name) => `${name}/`).join('|')})`,
      ...outside[folder]
    ]
  }
}))

module.exports = {
  forbidden: [
    ...rules,
    {
      name: 'nobody-imports-node',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(node/|index\\.ts$)' },
      to: { path: '^src/node/' }
    },
    {
      name: 'sockets-without-tensors',
      comment: 'only the trainer process loads the tensor library (DESIGN §2)',
      severity: 'error',
      from: { path: '^src/node/', pathNot: '^src/node/(trainer|offline)/' },
      to: { path: '^src/(model|compute)/', dependencyTypesNot: ['type-only'] }
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } }
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      mainFields: ['main', 'types']
    }
  }
}
