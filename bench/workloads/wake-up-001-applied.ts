import { wakeUpWith } from '../wake-up.ts'

export default wakeUpWith(1, 9)
