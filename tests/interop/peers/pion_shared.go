// What the peers in Go have in common.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/pion/webrtc/v3"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Asks for tracks of these kinds, to receive only.
func receive(pc *webrtc.PeerConnection, kinds ...webrtc.RTPCodecType) {
	for _, kind := range kinds {
		_, err := pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		must(err)
	}
}

// Makes an offer, with all of its candidates.
func offer(pc *webrtc.PeerConnection) string {
	made, err := pc.CreateOffer(nil)
	must(err)
	gathered := webrtc.GatheringCompletePromise(pc)
	must(pc.SetLocalDescription(made))
	<-gathered
	return pc.LocalDescription().SDP
}

// Takes the answer out of a response that has to have this status.
func accept(pc *webrtc.PeerConnection, response *http.Response, status int) {
	body, err := io.ReadAll(response.Body)
	must(err)
	if response.StatusCode != status {
		must(fmt.Errorf("%d %s", response.StatusCode, body))
	}
	must(pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(body)}))
}

// Offers to an endpoint and takes its answer.
func connect(pc *webrtc.PeerConnection, endpoint string, status int) {
	response, err := http.Post(endpoint, "application/sdp", strings.NewReader(offer(pc)))
	must(err)
	accept(pc, response, status)
}
