import { expect, it } from "vitest";

import { answer } from "./berths.js";

it("keeps one boat a berth", () => {
  expect(answer("a", "book 7")).toBe("berth 7 is yours");
  expect(answer("b", "book 7")).toBe("taken");
  expect(answer("b", "who 7")).toBe("a");
  expect(answer("a", "leave 7")).toBe("fair winds");
  expect(answer("b", "who 7")).toBe("free");
  expect(answer("b", "ahoy")).toBeNull();
});
