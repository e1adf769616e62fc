declare module 'bench:workloads' {
  export const workloads: Readonly<Record<string, import('./workload.ts').Workload>>
}
