SET NOCOUNT ON; DECLARE @got int; EXEC @got = sp_getapplock @Resource = N'coflows_m_0d5b5b2273d16e37', @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = 50000; IF @got < 0 BEGIN; THROW 50000, 'others write to this M set for too long', 1; END; SET NOCOUNT OFF;
SET NOCOUNT ON; DECLARE @got int; EXEC @got = sp_getapplock @Resource = N'coflows_m_4110d1fd7f3e3a0f', @LockMode = 'Shared', @LockOwner = 'Transaction', @LockTimeout = 50000; IF @got < 0 BEGIN; THROW 50000, 'others write to this M set for too long', 1; END; SET NOCOUNT OFF;
INSERT INTO m_set (id, pruned, pruned_at) VALUES (?, ?, ?);
(as the next one, with as many rows as one statement takes);
INSERT INTO m_entry (set_no, id, tag, value) SELECT ?, id, tag, value FROM (VALUES (0, ?, ?, ?), (1, ?, ?, ?)) AS batch (place, id, tag, value) ORDER BY place;
INSERT INTO m_log (set_no, op, entry, value) SELECT ?, ?, entry, value FROM (VALUES (0, ?, ?), (1, ?, ?)) AS batch (place, entry, value) ORDER BY place;
SELECT id, tag FROM m_entry WHERE set_no = ? AND tag IN (?, ?);
SELECT seq FROM m_log WHERE set_no = ? ORDER BY seq OFFSET 0 ROWS FETCH NEXT 1000 ROWS ONLY
