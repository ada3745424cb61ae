import { expect, it } from "vitest";

import { Crew } from "./crew.js";

it("takes everybody once, as long as there are seats", () => {
  const crew = new Crew(2);
  expect(crew.signOn("Ann")).toBe("Ann is aboard, 1 seats left");
  expect(crew.signOn("Ann")).toBe("Ann is aboard already");
  expect(crew.signOn("Bo")).toBe("Bo is aboard, 0 seats left");
  expect(crew.signOn("Cy")).toBe("The boat is full");
});
