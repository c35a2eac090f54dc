import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/yaml";
import { PROJECT } from "./support/command.ts";

const FOLDER = `${PROJECT}.github/`;

Deno.test("CI does what .ci/run does, and a release what the task does, with the Deno of the project", async () => {
  const [ci, release, gate] = await Promise.all(
    [`${FOLDER}workflows/ci.yml`, `${FOLDER}workflows/release.yml`, `${PROJECT}.ci/run`].map((path) =>
      Deno.readTextFile(path)
    ),
  );
  assert(stepsOf(ci).includes("bash .ci/run"));
  const deno = /deno@[\d.]+/.exec(gate ?? "")?.[0];
  assert(stepsOf(release).includes(`npx -y ${deno} task release`), `${deno}`);
  const { on } = parse(release ?? "") as { on: { push: { tags: string[] } } };
  assertEquals(on.push.tags, ["v*"]);
  assert(release?.includes("attest-build-provenance") && release.includes("sha256sum -c SHA256SUMS"));
});

Deno.test("the form asks for what report prints, and contributors find what they need", async () => {
  const form = parse(await Deno.readTextFile(`${FOLDER}ISSUE_TEMPLATE/fault.yml`)) as {
    body: { id?: string; attributes: { label?: string }; validations?: { required: boolean } }[];
  };
  const field = form.body.find(({ id }) => id === "report");
  assertEquals([field?.attributes.label, field?.validations?.required], ["What `i2p-socks report` prints", true]);
  for (const name of ["CONTRIBUTING.md", "SECURITY.md"]) {
    const text = await Deno.readTextFile(FOLDER + name);
    assertEquals(text.split("\n").filter((line) => line.length > 120), [], name);
  }
});

/** The commands of all steps of a workflow. */
function stepsOf(text = ""): string[] {
  const { jobs } = parse(text) as { jobs: Record<string, { steps: { run?: string }[] }> };
  return Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
}
