// Everything on the page that could carry or ask for sound (invariant I1).
async () => {
  const peers = [...((window.__visio15 && window.__visio15.peers) || [])];
  const found = [];
  for (const peer of peers) {
    for (const t of peer.getTransceivers())
      if (t.receiver.track.kind !== 'video' || (t.sender.track && t.sender.track.kind !== 'video')) found.push('transceiver of ' + t.receiver.track.kind);
    for (const s of peer.getSenders()) if (s.track && s.track.kind !== 'video') found.push('sender of ' + s.track.kind);
    for (const r of peer.getReceivers()) if (r.track && r.track.kind !== 'video') found.push('receiver of ' + r.track.kind);
    for (const side of ['localDescription', 'remoteDescription', 'pendingLocalDescription', 'pendingRemoteDescription']) {
      const sdp = peer[side] && peer[side].sdp;
      if (sdp && /^m=audio/m.test(sdp)) found.push(side + ' has m=audio');
      if (sdp && /^m=application/m.test(sdp)) found.push(side + ' has a data channel');
    }
    for (const [, row] of await peer.getStats()) if (row.kind === 'audio') found.push('statistics of audio: ' + row.type);
  }
  for (const media of document.querySelectorAll('video, audio')) {
    const stream = media.srcObject;
    if (stream && stream.getAudioTracks().length) found.push('an element plays audio tracks');
  }
  const asked = window.__labAsked || [];
  for (const wish of asked) if (wish.audio) found.push('the page asked for a microphone');
  let granted = 'unknown';
  try { granted = (await navigator.permissions.query({name: 'microphone'})).state; } catch { /* not known here */ }
  if (granted === 'granted') found.push('the page holds the permission for a microphone');
  return {peers: peers.length, found, asked: asked.length};
}
