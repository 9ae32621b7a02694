/** @module What budgets of certificates, paces and zones promise, on any store. */
import { describe, expect, test, vi } from "vitest";
import { type NewGround, storesOf } from "./stores.ts";

const time = Date.UTC(2026, 10, 23);
const hour = 3_600_000;
const request = (domain: string, at = time, server = "s") => ({ domain, server, time: at });

export function budgetsConform(newGround: NewGround): void {
  const stores = storesOf(newGround);

  describe("certificates", () => {
    test("towns that ask at the same time cannot pass the limit together", async () => {
      const { open } = stores();
      const several = [await open(), await open()];
      for (let i = 0; i < 42; i += 1) await several[0]?.certificates.spend(request(`v${i}.geoclic.fr`));
      const asked = await Promise.all(
        ["a", "b", "c", "d", "e", "f"].map((name, index) =>
          several[index % 2]?.certificates.spend(request(`${name}.geoclic.fr`)),
        ),
      );
      expect(asked.filter((budget) => budget?.ok)).toHaveLength(3);
    });

    test("what was asked and never told counts as given out; a refusal spends nothing", async () => {
      const { certificates } = await stores().open();
      for (let i = 0; i < 4; i += 1)
        expect(await certificates.spend(request("a.fr", time + i))).toEqual({ ok: true });
      for (let i = 0; i < 2; i += 1)
        expect(await certificates.spend(request("a.fr", time + 5))).toMatchObject({
          ok: false,
          limit: "4 certificates per name and 7 days",
          used: 4,
        });
    });

    test("a failure gives the certificate back, and counts as one within the hour", async () => {
      const { certificates } = await stores().open();
      for (let i = 0; i < 4; i += 1) {
        await certificates.spend(request("a.fr", time + i));
        await certificates.fail(request("a.fr", time + i));
      }
      // What is told twice counts once, and what was never asked not at all.
      await certificates.fail(request("a.fr", time));
      await certificates.fail(request("b.fr", time));
      expect(await certificates.spend(request("a.fr", time + 5))).toMatchObject({
        limit: "4 failures per name and hour",
      });
      expect(await certificates.spend(request("a.fr", time + hour + 5))).toEqual({ ok: true });
    });

    test("what is a week old is forgotten; another server's count is apart", async () => {
      const { certificates } = await stores().open();
      for (let i = 0; i < 4; i += 1) await certificates.spend(request("a.fr", time));
      expect(await certificates.spend(request("a.fr", time, "other"))).toEqual({ ok: true });
      expect(await certificates.spend(request("a.fr", time + 168 * hour))).toEqual({ ok: true });
    });
  });

  describe("a pace", () => {
    test("is one for everybody, and another name is another one", async () => {
      const { open } = stores();
      const several = [await open(), await open()];
      const waits: number[] = [];
      for (let i = 0; i < 6; i += 1) waits.push((await several[i % 2]?.pace.book("ovh", 4)) ?? -1);
      expect(waits.slice(0, 4)).toEqual([0, 0, 0, 0]);
      for (const wait of waits.slice(4)) expect(wait).toBeGreaterThan(50_000);
      expect(await several[0]?.pace.book("other", 4)).toBe(0);
    });

    test("booked by a clock that went wrong, it does not stop everybody for hours", async () => {
      const { pace, database } = await stores().open();
      const sent = JSON.stringify([Date.now() + 5 * hour]);
      await database.run((db) => db.insertInto("pace").values({ name: "ovh", sent }).execute());
      expect(await pace.book("ovh", 1)).toBe(0);
    });
  });

  describe("a zone", () => {
    test("is published once for ten that wait at once, in each zone", async () => {
      const { open } = stores();
      const several = [await open(), await open()];
      const [first, second] = [vi.fn(async () => {}), vi.fn(async () => {})];
      const since = Date.now() - 10_000;
      const work = Array.from({ length: 10 }, (_, i) =>
        several[i % 2]?.zones.refresh(i % 4 < 2 ? "a.fr" : "b.fr", since, i % 4 < 2 ? first : second),
      );
      expect((await Promise.all(work)).filter(Boolean)).toHaveLength(2);
      expect([first.mock.calls.length, second.mock.calls.length]).toEqual([1, 1]);
    });

    test("is published again for what was made after the last one began", async () => {
      const { zones } = await stores().open();
      const refresh = vi.fn(async () => {});
      await zones.refresh("a.fr", Date.now() - 10_000, refresh);
      await zones.refresh("a.fr", Date.now() + 1000, refresh);
      expect(refresh).toHaveBeenCalledTimes(2);
    });

    test("whose publication failed is not published", async () => {
      const { zones } = await stores().open();
      const since = Date.now() - 1;
      const fails = zones.refresh("a.fr", since, () => Promise.reject(new Error("HTTP 500")));
      await expect(fails).rejects.toThrow("500");
      expect(await zones.refresh("a.fr", since, async () => {})).toBe(true);
    });
  });
}
