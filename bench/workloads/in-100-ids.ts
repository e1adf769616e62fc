import { inList } from '../in-list.ts'

export default inList(100, 22, 300)
