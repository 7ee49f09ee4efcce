// Pion, WebRTC in Go, plays a session over WHEP and prints what arrived as JSON.
package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/pion/webrtc/v3"
)

func main() {
	endpoint, token := os.Args[1], os.Args[2]
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	must(err)
	var lock sync.Mutex
	packets, frames := map[string]int{}, map[uint32]bool{}
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			packet, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			lock.Lock()
			packets[track.Kind().String()]++
			if track.Kind() == webrtc.RTPCodecTypeVideo {
				frames[packet.Timestamp] = true
			}
			lock.Unlock()
		}
	})
	receive(pc, webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio)
	call := func(method, where, body string) *http.Response {
		request, err := http.NewRequest(method, where, strings.NewReader(body))
		must(err)
		request.Header.Set("Content-Type", "application/sdp")
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := http.DefaultClient.Do(request)
		must(err)
		return response
	}
	answer := call("POST", endpoint, offer(pc))
	accept(pc, answer, http.StatusCreated)
	base, err := url.Parse(endpoint)
	must(err)
	resource, err := base.Parse(answer.Header.Get("Location"))
	must(err)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		lock.Lock()
		enough := len(frames) >= 25 && packets["audio"] >= 25
		lock.Unlock()
		if enough {
			break
		}
	}
	state := pc.ConnectionState().String()
	deleted := call("DELETE", resource.String(), "").StatusCode
	lock.Lock()
	defer lock.Unlock()
	must(json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"state": state, "frames": len(frames), "video": packets["video"], "audio": packets["audio"], "deleted": deleted,
	}))
}
