/**
 * The fence of ARCHITECTURE.md: one row per room under src, from the ground to the roof. `may`: rooms that it may import beside its own
 * files, src/errors.ts and src/common; `types`: rooms of which it may know the types alone; `only`: the one file of a room that it may
 * import; `outside`: Node's modules and packages.
 */
const LIBP2P_TYPES = ['@libp2p/interface', '@libp2p/peer-id', '@multiformats/multiaddr']
const rooms = {
  common: { outside: ['node:fs', 'lru-cache', 'pure-rand', 'write-file-atomic', 'node:path'] },
  adapter: { outside: ['node:crypto'] },
  formats: {
    outside: [
      'node:crypto', 'node:fs', 'node:path', 'node:util', 'node:zlib', '@cornerstonejs', 'dcmjs', 'dicom-parser', 'fast-png', 'geotiff', 'gifuct-js',
      'jpeg-lossless-decoder-js', 'nifti-reader-js', 'sharp', 'yauzl'
    ]
  },
  dataset: { may: ['formats'], outside: ['node:crypto', 'node:fs', 'node:path', 'node:util', 'node:zlib', 'csv-parse', 'sharp', 'zod'] },
  compute: {
    outside: [
      'node:fs', 'node:path', 'node:os', 'node:module', 'node:url', 'node:crypto', 'node:events', 'node:child_process',
      '@tensorflow', 'onnxruntime-common', 'onnx-proto', 'build/(onnxruntime|tfjs-gradients)'
    ]
  },
  'gossip-aggregation': { may: ['adapter'], outside: ['build/vector-kernels', 'ml-matrix'] },
  protocol: {
    may: ['adapter'],
    outside: ['node:crypto', '@libp2p', 'protons-runtime', 'it-length-prefixed', 'uint8arrays', 'uint8arraylist', '@multiformats', 'lru-cache']
  },
  settings: { may: ['gossip-aggregation'], outside: ['@multiformats/multiaddr', 'zod'] },
  privacy: { may: ['settings'], outside: ['node:crypto', 'zod'] },
  home: {
    may: ['settings', 'adapter'],
    types: ['gossip-aggregation'],
    outside: ['node:crypto', 'node:fs', 'node:path', 'node:zlib', 'tar', 'zod']
  },
  dicomweb: {
    may: ['formats', 'home'],
    outside: [
      'node:child_process', 'node:crypto', 'node:events', 'node:fs', 'node:path', 'node:timers', 'node:url', 'lru-cache', 'zod'
    ]
  },
  rounds: {
    may: ['gossip-aggregation', 'home', 'settings', 'adapter'],
    types: ['privacy', 'protocol'],
    outside: ['node:crypto', 'node:fs', 'node:timers', 'lru-cache', 'pino']
  },
  model: { may: ['dataset', 'compute', 'privacy', 'settings', 'adapter'], outside: ['node:crypto', '@tensorflow/tfjs-core', 'lru-cache', 'ml-matrix'] },
  federation: {
    may: ['home', 'settings', 'adapter'],
    types: ['protocol'],
    outside: [
      'node:crypto', 'node:fs', 'node:path', 'node:readline', 'node:stream', 'node:zlib',
      '@libp2p/crypto', ...LIBP2P_TYPES, 'canonicalize', 'lru-cache', 'zod'
    ]
  },
  simulation: { may: ['rounds', 'gossip-aggregation', 'privacy', 'settings', 'adapter'], outside: ['node:timers', 'zod'] },
  'site-model': {
    may: ['model', 'dataset', 'compute', 'home', 'federation', 'privacy', 'settings', 'adapter'],
    only: ['rounds/trainer-messages.ts'],
    outside: ['node:crypto', 'node:fs', 'node:path', 'node:stream', 'node:url', 'node:zlib', 'csv-stringify', 'ml-kmeans', 'yauzl', 'zod']
  },
  audit: {
    may: ['federation', 'home', 'privacy', 'settings', 'adapter'],
    outside: ['node:crypto', 'node:fs', 'node:path', 'node:util', 'node:zlib', ...LIBP2P_TYPES, 'canonicalize', 'zod']
  },
  experiment: {
    // Its gossip runs on the virtual clock of the simulation, and its learners on an engine of their own.
    may: [
      'site-model', 'model', 'rounds', 'simulation', 'gossip-aggregation', 'federation', 'privacy', 'settings', 'dataset', 'compute', 'adapter'
    ],
    outside: ['node:crypto', 'node:fs', 'node:path', 'node:child_process', 'canonicalize', 'p-map']
  },
  // A process of its own beside the daemon: it has pixels and a port for the hospital's viewers, and no way to another site.
  viewer: {
    may: ['site-model', 'dataset', 'home', 'settings'],
    outside: ['node:crypto', 'node:fs', 'node:net', 'node:os', 'node:path', '@fastify/multipart', 'fastify', 'lru-cache', 'zod']
  },
  report: { may: ['settings'], outside: ['echarts'] },
  // A process of its own beside the daemon, too: it shows what the trainer left in private/, and asks the daemon through its control port.
  page: {
    may: ['report', 'audit', 'federation', 'rounds', 'home', 'settings'],
    outside: ['node:crypto', 'node:fs', 'fastify']
  },
  node: {
    may: ['report', 'audit', 'federation', 'rounds', 'home', 'privacy', 'settings', 'protocol', 'gossip-aggregation', 'adapter'],
    outside: [
      'node:child_process', 'node:crypto', 'node:dns', 'node:events', 'node:fs', 'node:http', 'node:https', 'node:net', 'node:os', 'node:path',
      'node:perf_hooks', 'node:timers', 'node:tls', 'node:url', 'node:util', 'node:v8', '@chainsafe', '@libp2p', 'libp2p', '@multiformats',
      'multiformats', 'datastore-level', 'interface-datastore', 'uint8arrays', 'fastify', '@fastify/proxy-addr', 'https-proxy-agent',
      'lru-cache', 'prom-client', 'proxy-from-env', 'socks', 'ws', 'zod'
    ]
  }
}
// The command line opens every door, but imports no socket and no tensor library itself.
const roof = { outside: ['node:', '@libp2p/peer-id', 'cli-progress', 'cli-table3', 'fastest-levenshtein', 'yargs', 'zod'] }

const SRC = '^(test/fixtures/layers/)?src/'
const GROUND = [`${SRC}errors\\.ts$`, `${SRC}common/`]

/** The pattern of an outside package, or of Node's module with or without its prefix. */
function outsidePattern (name) {
  if (name === 'node:') return '^(node:)?[a-z_]+(/promises)?$'
  if (name.startsWith('node:')) return `^(node:)?${name.slice(5)}(/promises)?$`
  return name.startsWith('build/') ? `^${name}` : `node_modules/(@types/)?${name}/`
}

const rows = Object.entries(rooms).flatMap(([room, { may = [], types = [], only = [], outside }]) => {
  const from = { path: `${SRC}${room}/` }
  const inside = [...GROUND, ...[room, ...may].map((name) => `${SRC}${name}/`), ...only.map((file) => `${SRC}${file}$`)]
  const packages = outside.map(outsidePattern)
  const rules = [{
    name: `room-${room}`,
    comment: `src/${room} may import ${['errors.ts', 'common', ...may, ...types, ...only].join(', ')} and its own outside packages`,
    severity: 'error',
    from,
    to: { pathNot: [...inside, ...types.map((name) => `${SRC}${name}/`), ...packages] }
  }]
  if (types.length === 0) return rules
  return [...rules, {
    name: `types-${room}`,
    comment: `src/${room} may know the types of ${types.join(', ')} alone`,
    severity: 'error',
    from,
    to: { path: types.map((name) => `${SRC}${name}/`), dependencyTypesNot: ['type-only'] }
  }]
})

module.exports = {
  forbidden: [
    ...rows,
    {
      name: 'room-cli',
      comment: 'src/cli may import every room and its own outside packages',
      severity: 'error',
      from: { path: `${SRC}cli/` },
      to: { pathNot: [SRC, ...roof.outside.map(outsidePattern)] }
    },
    {
      name: 'src-stands-alone',
      comment: 'bench, scripts and test import src, never the other way round',
      severity: 'error',
      from: { path: SRC },
      to: { path: '^(bench|scripts|test/(?!fixtures/layers/))' }
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
