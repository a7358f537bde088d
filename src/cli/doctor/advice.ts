import { existsSync, readdirSync } from 'node:fs'
import type { EnginesView } from '../../compute/index.ts'

/** What the machine has, as far as device files tell. */
export interface Hardware { readonly nvidia: boolean, readonly gpu: boolean }

export function findHardware (): Hardware {
  const nvidia = ['/dev/nvidiactl', '/dev/dxg'].some((path) => existsSync(path))
  return { nvidia, gpu: nvidia || renderNodes() > 0 }
}

function renderNodes (): number {
  try {
    return readdirSync('/dev/dri').filter((name) => name.startsWith('renderD')).length
  } catch {
    return 0
  }
}

const LITTLE_MEMORY = 4 * 2 ** 30

/** What to do for more speed; one sentence each. */
export function advise ({ engines, providers, chosen }: EnginesView, { nvidia, gpu }: Hardware, availableMemory: number): string[] {
  const works = (name: string): boolean => providers.some((each) => each.provider === name && each.works)
  const hasTensorflow = engines.some(({ name, found }) => name === 'tensorflow' && found)
  const onGpu = typeof chosen !== 'string' && chosen.provider !== 'cpu'
  return [
    ...(gpu || onGpu ? [] : ['No GPU was found: training runs on the CPU.']),
    ...(nvidia && process.arch === 'x64' && !works('cuda')
      ? [
          'For CUDA in ONNX Runtime: take two libraries from the wheel onnxruntime-gpu 1.30.0, and CUDA 13 and cuDNN 9 from pip; the ' +
            'section CUDA of docs/engines.md in the repository has the commands.'
        ]
      : []),
    ...(nvidia && !hasTensorflow
      ? [
          'For CUDA in TensorFlow: pip install "tensorflow[and-cuda]" in a virtual environment, then, in a clone of the repository, ' +
            'npm run setup:tensorflow -- --python ITS/bin/python'
        ]
      : []),
    ...(gpu && !works('webgpu')
      ? [
          'For WebGPU: install the Vulkan loader and the driver of the GPU (Debian, Ubuntu: apt install libvulkan1 ' +
            "mesa-vulkan-drivers, or NVIDIA's own driver)."
        ]
      : []),
    ...(availableMemory < LITTLE_MEMORY
      ? ['Less than 4 GiB of memory are free: the engine returns memory after every step, which is slower; end other programs.']
      : [])
  ]
}
