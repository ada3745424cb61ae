import { expect, it } from "vitest"

import { ring } from "./post.ts"

it("knows when to run", () => {
  expect(ring(12)).toBe("The ferry leaves in 12 minutes")
  expect(ring(4)).toBe("Run!")
  expect(ring(0)).toBe("The ferry has left")
})
