SET NOCOUNT ON; DECLARE @got int; EXEC @got = sp_getapplock @Resource = N'coflows_m_0d5b5b2273d16e37', @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = 50000; IF @got < 0 BEGIN; THROW 50000, 'others write to this M set for too long', 1; END; SET NOCOUNT OFF;
SET NOCOUNT ON; DECLARE @got int; EXEC @got = sp_getapplock @Resource = N'coflows_m_4110d1fd7f3e3a0f', @LockMode = 'Shared', @LockOwner = 'Transaction', @LockTimeout = 50000; IF @got < 0 BEGIN; THROW 50000, 'others write to this M set for too long', 1; END; SET NOCOUNT OFF;
INSERT INTO m_set (id, pruned, pruned_at) VALUES (?, ?, ?);
SELECT seq FROM m_log WHERE set_no = ? ORDER BY seq OFFSET 0 ROWS FETCH NEXT 1000 ROWS ONLY
