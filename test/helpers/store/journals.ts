/** @module What journals and the audit promise, on any store. */
import { expect, test } from "vitest";
import { appendOnly } from "../../../outside/store/schema.ts";
import { processes } from "./processes.ts";
import { type NewGround, storesOf } from "./stores.ts";

export function journalsConform(newGround: NewGround): void {
  const stores = storesOf(newGround);
  const { run } = processes();

  test("a journal's lines come back as they were written, by another process too", async () => {
    const { open } = stores();
    const [store, other] = [await open(), await open()];
    expect(await store.journals.read("order", "ville")).toEqual([]);
    await store.journals.add("order", "ville", { event: "asked", name: 'Côté "lac"\n\u0001', cents: 5 });
    await store.journals.add("retirement", "ville", { event: "started" });
    await store.journals.add("order", "autre", { event: "asked" });
    expect(await other.journals.read("order", "ville")).toMatchObject([
      { line: 1, client: "ville", event: { event: "asked", name: 'Côté "lac"\n\u0001', cents: 5 } },
    ]);
    const all = await other.journals.all("order");
    expect(all.map(({ client, line }) => [client, line])).toEqual([
      ["autre", 1],
      ["ville", 1],
    ]);
  });

  test("processes that write one journal at once number its lines without a gap", async () => {
    const { open, place } = stores();
    const store = await open();
    await Promise.all(
      [1, 2].map(() => run(place, { kind: "lines", client: "ville", times: 20 })).concat(add10()),
    );
    const lines = await store.journals.read("order", "ville");
    expect(lines.map(({ line }) => line)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));

    async function add10(): Promise<void> {
      for (let time = 0; time < 10; time += 1) await store.journals.add("order", "ville", { time });
    }
  });

  test.each(appendOnly)("the database itself refuses to change or to remove a row of %s", async (table) => {
    const store = await stores().open();
    const { database, journals, audit, certificates } = store;
    const asked = { domain: "a.fr", server: "s", time: Date.now() };
    await journals.add("order", "ville", { event: "asked" });
    await audit.add({ actor: "Jeanne", action: "order", values: {} });
    await certificates.spend(asked);
    await certificates.fail(asked);
    const column =
      { certificate_request: "domain", certificate_failure: "request" }[table as string] ?? "time";
    const change = { [column]: 1 } as never;
    await expect(database.run((db) => db.updateTable(table).set(change).execute())).rejects.toThrow(
      "never changed",
    );
    await expect(database.run((db) => db.deleteFrom(table).execute())).rejects.toThrow("never changed");
    const { rows } = await database.run((db) =>
      db
        .selectFrom(table)
        .select(({ fn }) => fn.countAll<number>().as("rows"))
        .executeTakeFirstOrThrow(),
    );
    expect(rows).toBe(1);
  });

  test("the audit tells who did what, newest first, in pages", async () => {
    const { audit } = await stores().open();
    for (const action of ["one", "two", "three"])
      await audit.add({ actor: "Jeanne", action, values: { x: 1 } });
    const [newest, second] = await audit.page({ limit: 2 });
    expect([newest?.action, second?.action]).toEqual(["three", "two"]);
    expect(await audit.page({ before: second?.seq ?? 0 })).toMatchObject([
      { action: "one", actor: "Jeanne", values: { x: 1 } },
    ]);
  });
}
