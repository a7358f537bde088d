import { describeParity } from './lite-parity.ts'

describeParity('onnx', { pictures: ['synth', 'nuclei', 'colin'], modes: ['global', 'personal'], from: 0 })
